// Who is in a room, with which role, and since when; invited users too. One state for each room, its partition is the
// room's stream: `imcd projections result room-members --partition room-chat-1@example.org`.
// State: {"alive": true, "members": [{"uri": "sip:alice@example.org", "role": "owner", "since": "..."}]}, in the order of joining.

const keyOf = (uri) => uri.toLowerCase();
const indexOf = (state, uri) => state.members.findIndex((member) => keyOf(member.uri) === keyOf(uri));

const leave = (state, event) => {
  const at = indexOf(state, event.data.member);
  return at < 0 ? undefined : state.members.splice(at, 1)[0];
};
// Joining is what counts for the order: an invited one takes a new place, in the case first seen.
const enter = (state, event) => {
  const invited = leave(state, event);
  state.members.push({ uri: invited ? invited.uri : event.data.member, role: 'member', since: event.metadata.time });
};

fromCategory('room')
  .foreachStream()
  .when({
    $init: () => ({ alive: false, members: [] }),
    RoomCreated: (state, event) => {
      state.alive = true;
      state.members = [{ uri: event.data.owner, role: 'owner', since: event.metadata.time }];
    },
    MemberJoined: enter,
    MemberAdded: enter,
    InvitationAccepted: enter,
    MemberInvited: (state, event) => {
      leave(state, event);
      state.members.push({
        uri: event.data.member,
        role: 'invited',
        since: event.metadata.time,
        inviter: event.data.by,
      });
    },
    InvitationDenied: (state, event) => void leave(state, event),
    InvitationWithdrawn: (state, event) => void leave(state, event),
    MemberExited: (state, event) => void leave(state, event),
    MemberRemoved: (state, event) => void leave(state, event),
    RoleChanged: (state, event) => {
      const { member, role } = event.data;
      // There is exactly one owner: who hands the room over becomes admin.
      if (role === 'owner') for (const one of state.members) if (one.role === 'owner') one.role = 'admin';
      const at = indexOf(state, member);
      if (at >= 0) state.members[at].role = role;
    },
    RoomDestroyed: (state) => {
      state.alive = false;
      state.members = [];
    },
  });
