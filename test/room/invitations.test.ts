import { describe, it } from 'node:test';
import {
  accepted,
  alice,
  bob,
  carol,
  chat1,
  deniedBy,
  given,
  imcd,
  invited,
  joined,
  made,
  madePrivate,
  member,
  role,
  time,
  withdrawn,
} from './scenario.ts';

describe('invite USER [ROOM] | owner, admin | USER becomes invited', () => {
  it("is sent to USER: `INVITE from: inviter@domain(Type: '#accept' or '#deny')`", () => {
    given(madePrivate())
      .when({ type: 'InviteMember', actor: alice, member: bob })
      .then(invited(bob))
      .andTells("bob < INVITE from: alice@example.org(Type: '#accept' or '#deny')");
  });

  it('is for admins too', () => {
    given(made(), joined(bob), role(bob, 'admin'))
      .when({ type: 'InviteMember', actor: bob, member: carol })
      .then(invited(carol, bob))
      .andTells("carol < INVITE from: bob@example.org(Type: '#accept' or '#deny')");
  });

  it('remembers sips: of who is invited', () => {
    given(made())
      .when({ type: 'InviteMember', actor: alice, member: bob, scheme: 'sips' })
      .then({ type: 'MemberInvited', data: { room: chat1, member: bob, by: alice, scheme: 'sips' } });
  });

  it('of one already invited: no event, the invitation is sent again, 200', () => {
    given(made(), invited(bob))
      .when({ type: 'InviteMember', actor: alice, member: member('sip:BOB@example.org') })
      .thenNothing()
      .andTells("bob < INVITE from: alice@example.org(Type: '#accept' or '#deny')");
  });

  it('names the inviter on record when an admin sends it again: that is who learns how it ends', () => {
    given(made(), joined(carol), role(carol, 'admin'), invited(bob))
      .when({ type: 'InviteMember', actor: carol, member: bob })
      .thenNothing()
      .andTells("bob < INVITE from: alice@example.org(Type: '#accept' or '#deny')");
  });

  it('refused 409 if already member', () => {
    given(made(), joined(bob))
      .when({ type: 'InviteMember', actor: alice, member: member('sip:Bob@example.org') })
      .thenRefused('AlreadyMember', { member: bob });
  });

  it('is refused to members, to the invited and to strangers', () => {
    given(made(), joined(bob)).when({ type: 'InviteMember', actor: bob, member: carol }).thenRefused('NotOwnerOrAdmin');
    given(made(), invited(bob))
      .when({ type: 'InviteMember', actor: bob, member: carol })
      .thenRefused('NotOwnerOrAdmin');
    given(made()).when({ type: 'InviteMember', actor: bob, member: alice }).thenRefused('NotOwnerOrAdmin');
  });

  it('needs a room', () => {
    given().when({ type: 'InviteMember', actor: alice, member: bob }).thenRefused('NoSuchRoom');
  });
});

describe("the invitation's MESSAGE ends in a final answer of 300 or more, or in no answer, at every device | | withdrawn (event)", () => {
  it('tells the inviter: `user@domain is not registered. ` (one space at the end)', () => {
    given(made(), invited(bob))
      .when({ type: 'WithdrawInvitation', actor: imcd, member: bob })
      .then(withdrawn(bob, { by: imcd, cause: 'undeliverable' }))
      .andTells('alice < bob@example.org is not registered. ');
  });

  it('changes nothing where the invitation has ended meanwhile', () => {
    const failed = { type: 'WithdrawInvitation', actor: imcd, member: bob } as const;
    given(made(), invited(bob), accepted(bob)).when(failed).thenNothing().andTells();
    given(made(), invited(bob), deniedBy(bob)).when(failed).thenNothing().andTells();
    given().when(failed).thenNothing().andTells();
  });

  it('changes nothing where it is the next invitation that is pending', () => {
    const failed = { type: 'WithdrawInvitation', actor: imcd, member: bob } as const;
    const room = [made(), invited(bob)];
    given(...room)
      .when({ ...failed, invitedAt: '2026-11-22T13:59:00.000Z' })
      .thenNothing()
      .andTells();
    given(...room)
      .when({ ...failed, invitedAt: time })
      .then(withdrawn(bob, { by: imcd, cause: 'undeliverable' }));
  });
});

describe('accept [ROOM] | an invited user | becomes member | broadcast as join', () => {
  it('becomes member', () => {
    given(madePrivate(), invited(bob))
      .when({ type: 'AcceptInvitation', actor: bob })
      .then(accepted(bob))
      .andTells('alice, bob < *** <sip:bob@example.org> has joined the room');
  });

  it('keeps the case first seen', () => {
    given(made(), invited(bob))
      .when({ type: 'AcceptInvitation', actor: member('sip:BOB@EXAMPLE.org') })
      .then(accepted(bob));
  });

  it('remembers sips: of who accepts', () => {
    given(made(), invited(bob))
      .when({ type: 'AcceptInvitation', actor: bob, scheme: 'sips' })
      .then({ type: 'InvitationAccepted', data: { room: chat1, member: bob, scheme: 'sips' } });
  });

  it('by a member: nothing changes', () => {
    given(made())
      .when({ type: 'AcceptInvitation', actor: alice })
      .thenNothing()
      .andTells('alice < *** You are in the room already');
  });

  it('by somebody who is neither member nor invited: 403', () => {
    given(made()).when({ type: 'AcceptInvitation', actor: bob }).thenRefused('NotInvited');
    given(made(), invited(bob), withdrawn(bob))
      .when({ type: 'AcceptInvitation', actor: bob })
      .thenRefused('NotInvited');
  });
});

describe('deny [ROOM] | an invited user | invitation ends', () => {
  it('tells the inviter: `The user [user] has denied the invitation`', () => {
    given(made(), joined(carol), role(carol, 'admin'), invited(bob, carol))
      .when({ type: 'DenyInvitation', actor: bob })
      .then(deniedBy(bob, carol))
      .andTells('carol < The user [bob] has denied the invitation');
  });

  it('tells nobody where an operator invited', () => {
    given(made(), invited(bob, imcd)).when({ type: 'DenyInvitation', actor: bob }).then(deniedBy(bob, imcd)).andTells();
  });

  it('by somebody who is not invited: 403', () => {
    given(made()).when({ type: 'DenyInvitation', actor: bob }).thenRefused('NotInvited');
    given(made(), joined(bob)).when({ type: 'DenyInvitation', actor: bob }).thenRefused('NotInvited');
  });
});
