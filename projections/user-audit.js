// All that one user did, or had done to them, across rooms: links every event into the stream `user-<user@domain>` of every
// user it touches, the actor and the object alike. Read it with links resolved; in EventStoreDB's UI: Stream Browser,
// `user-alice@example.org`. Operators (`operator:NAME`) are not users. Needs the right to emit.

const touched = (event) => {
  const { member, owner, by, inviter } = event.data || {};
  const uris = [event.metadata?.actor, member, owner, by, inviter];
  const users = uris.filter((uri) => typeof uri === 'string' && uri.startsWith('sip:'));
  return [...new Set(users.map((uri) => uri.slice('sip:'.length).toLowerCase()))];
};

fromCategory('room').when({
  $init: () => ({ linked: 0 }),
  $any: (state, event) => {
    for (const user of touched(event)) {
      linkTo(`user-${user}`, event);
      state.linked += 1;
    }
  },
});
