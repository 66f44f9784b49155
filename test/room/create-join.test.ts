import { describe, it } from 'node:test';
import {
  accepted,
  alice,
  bob,
  carol,
  chat1,
  destroyed,
  given,
  invited,
  joined,
  made,
  madePrivate,
  member,
} from './scenario.ts';

describe('create NAME [private] | anyone | new room; sender is first member and owner; private: only by invitation', () => {
  it('makes a room, and tells its owner `*** room was created`', () => {
    given()
      .when({ type: 'CreateRoom', actor: alice, private: false })
      .then({ type: 'RoomCreated', data: { room: chat1, owner: alice, private: false, cause: 'create' } })
      .andTells('alice < *** room was created');
  });

  it('makes a private room', () => {
    given().when({ type: 'CreateRoom', actor: alice, private: true }).then(madePrivate());
  });

  it('remembers sips: of its owner', () => {
    given()
      .when({ type: 'CreateRoom', actor: alice, private: false, scheme: 'sips' })
      .then({
        type: 'RoomCreated',
        data: { room: chat1, owner: alice, private: false, cause: 'create', scheme: 'sips' },
      });
  });

  it('makes a room again whose name is free again', () => {
    given(made(), joined(bob), destroyed()).when({ type: 'CreateRoom', actor: bob, private: false }).then(made(bob));
  });
});

describe('create of an existing public room | anyone | same as join', () => {
  it('makes a member of who is none', () => {
    given(made())
      .when({ type: 'CreateRoom', actor: bob, private: false })
      .then(joined(bob))
      .andTells('alice, bob < *** <sip:bob@example.org> has joined the room');
  });

  it('does not make the room private', () => {
    given(made()).when({ type: 'CreateRoom', actor: bob, private: true }).then(joined(bob));
  });

  it('accepts the invitation of one who is invited', () => {
    given(made(), invited(bob)).when({ type: 'CreateRoom', actor: bob, private: false }).then(accepted(bob));
  });

  it('tells a member that they are there', () => {
    given(made())
      .when({ type: 'CreateRoom', actor: alice, private: false })
      .thenNothing()
      .andTells('alice < *** You are in the room already');
  });
});

describe('create of an existing private room | member: nothing changes; other: refused 403', () => {
  const create = { type: 'CreateRoom', private: true } as const;

  it('changes nothing for a member, who is told nothing', () => {
    given(madePrivate())
      .when({ ...create, actor: alice })
      .thenNothing()
      .andTells();
  });

  it('refuses a stranger', () => {
    given(madePrivate())
      .when({ ...create, actor: bob })
      .thenRefused('RoomIsPrivate');
  });

  it('refuses one who is invited only', () => {
    given(madePrivate(), invited(bob))
      .when({ ...create, actor: bob })
      .thenRefused('RoomIsPrivate');
  });
});

describe('check_on_create with an existing room: 409', () => {
  const policy = { checkOnCreate: true };

  it('refuses stranger and member alike, public and private', () => {
    given(made()).when({ type: 'CreateRoom', actor: bob, private: false }, policy).thenRefused('RoomExists');
    given(made()).when({ type: 'CreateRoom', actor: alice, private: false }, policy).thenRefused('RoomExists');
    given(madePrivate()).when({ type: 'CreateRoom', actor: bob, private: false }, policy).thenRefused('RoomExists');
  });

  it('lets a new name be taken', () => {
    given().when({ type: 'CreateRoom', actor: alice, private: false }, policy).then(made());
  });
});

describe('join [ROOM] | anyone | room missing: as create (public). Public: becomes member. Private: only one invited', () => {
  it('makes a room that is missing, and says so', () => {
    given()
      .when({ type: 'JoinRoom', actor: alice })
      .then({ type: 'RoomCreated', data: { room: chat1, owner: alice, private: false, cause: 'join' } })
      .andTells('alice < *** room was created');
  });

  it('refuses 404 where create_on_join is off', () => {
    given().when({ type: 'JoinRoom', actor: alice }, { createOnJoin: false }).thenRefused('NoSuchRoom');
  });

  it('joins a public room: broadcast, joiner included', () => {
    given(made(), joined(bob))
      .when({ type: 'JoinRoom', actor: carol })
      .then(joined(carol))
      .andTells('alice, bob, carol < *** <sip:carol@example.org> has joined the room');
  });

  it('does not tell those who are only invited', () => {
    given(made(), invited(bob))
      .when({ type: 'JoinRoom', actor: carol })
      .then(joined(carol))
      .andTells('alice, carol < *** <sip:carol@example.org> has joined the room');
  });

  it('accepts the invitation into a private room', () => {
    given(madePrivate(), invited(bob))
      .when({ type: 'JoinRoom', actor: bob })
      .then(accepted(bob))
      .andTells('alice, bob < *** <sip:bob@example.org> has joined the room');
  });

  it('refuses a stranger at a private room', () => {
    given(madePrivate()).when({ type: 'JoinRoom', actor: bob }).thenRefused('NotInvited');
  });

  it('remembers sips: of who joins', () => {
    given(made())
      .when({ type: 'JoinRoom', actor: bob, scheme: 'sips' })
      .then({ type: 'MemberJoined', data: { room: chat1, member: bob, scheme: 'sips' } });
  });
});

describe('join by a member | | nothing changes, no event, no broadcast; 200 | to sender `*** You are in the room already`', () => {
  it('tells the sender alone', () => {
    given(madePrivate(), invited(bob), accepted(bob))
      .when({ type: 'JoinRoom', actor: bob })
      .thenNothing()
      .andTells('bob < *** You are in the room already');
  });

  it('knows a member in another case', () => {
    given(made())
      .when({ type: 'JoinRoom', actor: member('sip:ALICE@Example.ORG') })
      .thenNothing();
  });
});
