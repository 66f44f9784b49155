import { describe, it } from 'node:test';
import {
  alice,
  bob,
  carol,
  dave,
  deniedBy,
  destroyed,
  exited,
  given,
  invited,
  joined,
  made,
  madePrivate,
  member,
  removed,
  role,
  withdrawn,
} from './scenario.ts';

describe('remove USER [ROOM] | owner, admin | USER ceases to be member, or the invitation is withdrawn', () => {
  it('to USER `You have been removed from this room`; broadcast `The user [user] has left the room`', () => {
    given(made(), joined(bob), joined(carol))
      .when({ type: 'RemoveMember', actor: alice, member: member('sip:BOB@example.org') })
      .then(removed(bob))
      .andTells('bob < You have been removed from this room', 'alice, carol < The user [bob] has left the room');
  });

  it('for a withdrawn invitation no broadcast', () => {
    given(made(), joined(carol), invited(bob))
      .when({ type: 'RemoveMember', actor: alice, member: bob })
      .then(withdrawn(bob))
      .andTells('bob < You have been removed from this room');
  });

  it('keeps the inviter of an invitation that another withdraws', () => {
    given(made(), joined(carol), role(carol, 'admin'), invited(bob))
      .when({ type: 'RemoveMember', actor: carol, member: bob })
      .then(withdrawn(bob, { by: carol, inviter: alice }));
  });

  it('is for admins too, who may remove themselves and each other', () => {
    const admins = [made(), joined(bob), role(bob, 'admin'), joined(carol), role(carol, 'admin')];
    given(...admins)
      .when({ type: 'RemoveMember', actor: bob, member: carol })
      .then(removed(carol, bob));
    given(...admins)
      .when({ type: 'RemoveMember', actor: bob, member: bob })
      .then(removed(bob, bob))
      .andTells('bob < You have been removed from this room', 'alice, carol < The user [bob] has left the room');
  });

  it('the owner cannot be removed (403)', () => {
    given(made(), joined(bob), role(bob, 'admin'))
      .when({ type: 'RemoveMember', actor: bob, member: alice })
      .thenRefused('OwnerCannotBeRemoved');
    given(made()).when({ type: 'RemoveMember', actor: alice, member: alice }).thenRefused('OwnerCannotBeRemoved');
  });

  it('404 if USER is neither member nor invited', () => {
    given(made())
      .when({ type: 'RemoveMember', actor: alice, member: bob })
      .thenRefused('NoSuchMember', { member: bob });
  });

  it('is refused to members', () => {
    given(made(), joined(bob), joined(carol))
      .when({ type: 'RemoveMember', actor: bob, member: carol })
      .thenRefused('NotOwnerOrAdmin');
  });

  it('does not tell the invited or a stranger who is a member', () => {
    for (const history of [[madePrivate()], [madePrivate(), invited(bob)]]) {
      given(...history)
        .when({ type: 'RemoveMember', actor: bob, member: carol })
        .thenRefused('NotOwnerOrAdmin');
      given(...history)
        .when({ type: 'RemoveMember', actor: bob, member: alice })
        .thenRefused('NotOwnerOrAdmin');
    }
  });

  it('tells a member 404 before 403', () => {
    given(made(), joined(bob))
      .when({ type: 'RemoveMember', actor: bob, member: dave })
      .thenRefused('NoSuchMember', { member: dave });
  });
});

describe('exit [ROOM] | member | leaves', () => {
  it('broadcast `The user [user] has left the room` to those who stay', () => {
    given(made(), joined(bob), joined(carol))
      .when({ type: 'ExitRoom', actor: bob })
      .then(exited(bob))
      .andTells('alice, carol < The user [bob] has left the room');
  });

  it("the owner's exit destroys the room (one RoomDestroyed, cause exit); `The room has been destroyed` to all, the owner too", () => {
    given(made(), joined(bob), invited(carol))
      .when({ type: 'ExitRoom', actor: alice })
      .then(destroyed(alice, 'exit'))
      .andTells('alice, bob < The room has been destroyed');
  });

  it("an invited user's exit is a deny", () => {
    given(made(), invited(bob))
      .when({ type: 'ExitRoom', actor: bob })
      .then(deniedBy(bob))
      .andTells('alice < The user [bob] has denied the invitation');
  });

  it('by somebody who is neither member nor invited: 403; of no room: 404', () => {
    given(made()).when({ type: 'ExitRoom', actor: bob }).thenRefused('NotMember');
    given().when({ type: 'ExitRoom', actor: bob }).thenRefused('NoSuchRoom');
  });
});

describe('destroy [ROOM] | owner | room and members are gone', () => {
  it('broadcast to all members `The room has been destroyed`', () => {
    given(made(), joined(bob), invited(carol))
      .when({ type: 'DestroyRoom', actor: alice })
      .then(destroyed())
      .andTells('alice, bob < The room has been destroyed');
  });

  it('is refused to all others, admins too', () => {
    given(made(), joined(bob), role(bob, 'admin')).when({ type: 'DestroyRoom', actor: bob }).thenRefused('NotOwner');
    given(made(), invited(bob)).when({ type: 'DestroyRoom', actor: bob }).thenRefused('NotOwner');
    given(made()).when({ type: 'DestroyRoom', actor: bob }).thenRefused('NotOwner');
  });

  it('the name is free again', () => {
    given(made(), destroyed()).when({ type: 'DestroyRoom', actor: alice }).thenRefused('NoSuchRoom');
  });
});
