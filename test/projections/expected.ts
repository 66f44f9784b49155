/** What imcd's own projections make of `everything`, worked out by hand. */

export const activeRooms = {
  count: 2,
  rooms: {
    'chat-1@a.org': {
      uri: 'sip:chat-1@a.org',
      private: false,
      owner: 'bob@a.org',
      since: '2026-11-23T10:00:00.000Z',
      members: 2,
      topic: 'sip:carol@a.org',
    },
    'chat-3@a.org': {
      uri: 'sip:chat-3@a.org',
      private: false,
      owner: 'frank@a.org',
      since: '2026-11-24T09:30:00.000Z',
      members: 1,
    },
  },
};

export const roomMembers = {
  'room-chat-1@a.org': {
    alive: true,
    members: [
      { uri: 'sip:bob@a.org', role: 'owner', since: '2026-11-23T10:01:00.000Z' },
      { uri: 'sip:Carol@a.org', role: 'member', since: '2026-11-23T10:04:00.000Z' },
    ],
  },
  'room-chat-2@a.org': { alive: false, members: [] },
  'room-chat-3@a.org': {
    alive: true,
    members: [{ uri: 'sip:frank@a.org', role: 'owner', since: '2026-11-24T09:30:00.000Z' }],
  },
};

/** Streams of links, each with its targets in order. */
export const userAudit = {
  'user-alice@a.org': ['0@room-chat-1@a.org', '2@room-chat-1@a.org', '5@room-chat-1@a.org', '10@room-chat-1@a.org'],
  'user-bob@a.org': [
    '1@room-chat-1@a.org',
    '0@room-chat-2@a.org',
    '5@room-chat-1@a.org',
    '6@room-chat-1@a.org',
    '1@room-chat-2@a.org',
    '2@room-chat-2@a.org',
    '3@room-chat-2@a.org',
    '7@room-chat-1@a.org',
    '8@room-chat-1@a.org',
    '9@room-chat-1@a.org',
  ],
  'user-carol@a.org': ['2@room-chat-1@a.org', '3@room-chat-1@a.org'],
  'user-dave@a.org': ['4@room-chat-1@a.org', '6@room-chat-1@a.org'],
  'user-eve@a.org': ['1@room-chat-2@a.org', '2@room-chat-2@a.org', '8@room-chat-1@a.org', '9@room-chat-1@a.org'],
  'user-frank@a.org': ['0@room-chat-3@a.org', '1@room-chat-3@a.org', '2@room-chat-3@a.org'],
};

/** How many links these are. */
export const linked = Object.values(userAudit).flat().length;

export const commandsPerDay = {
  days: {
    '2026-11-23': {
      total: 6,
      RoomCreated: 2,
      MemberJoined: 1,
      MemberInvited: 1,
      InvitationAccepted: 1,
      MemberAdded: 1,
    },
    '2026-11-24': {
      total: 10,
      RoleChanged: 1,
      MemberRemoved: 1,
      MemberInvited: 2,
      InvitationDenied: 1,
      MemberExited: 1,
      TopicChanged: 3,
      RoomDestroyed: 1,
    },
  },
};
