// The rooms that live at this moment: how many, and which, with their owner and the number of their members.
// State: {"count": 1, "rooms": {"chat-1@example.org": {"uri": "...", "private": false, "owner": "...", "since": "...", "members": 1, "topic": "..."}}}; topic where one is set

const keyOf = (uri) => uri.slice(4).toLowerCase();
const roomOf = (event) => event.streamId.slice('room-'.length);

const count = (change) => (state, event) => {
  const room = state.rooms[roomOf(event)];
  if (room) room.members += change;
};

fromCategory('room').when({
  $init: () => ({ count: 0, rooms: {} }),
  RoomCreated: (state, event) => {
    const { room, owner, private: closed } = event.data;
    if (!state.rooms[roomOf(event)]) state.count += 1;
    state.rooms[roomOf(event)] = {
      uri: room,
      private: closed,
      owner: keyOf(owner),
      since: event.metadata.time,
      members: 1,
    };
  },
  MemberJoined: count(1),
  MemberAdded: count(1),
  InvitationAccepted: count(1),
  MemberExited: count(-1),
  MemberRemoved: count(-1),
  RoleChanged: (state, event) => {
    const room = state.rooms[roomOf(event)];
    if (room && event.data.role === 'owner') room.owner = keyOf(event.data.member);
  },
  TopicChanged: (state, event) => {
    const room = state.rooms[roomOf(event)];
    if (!room) return;
    if (event.data.topic === '') delete room.topic;
    else room.topic = event.data.topic;
  },
  RoomDestroyed: (state, event) => {
    if (!state.rooms[roomOf(event)]) return;
    delete state.rooms[roomOf(event)];
    state.count -= 1;
  },
});
