import { describe, it } from 'node:test';
import {
  accepted,
  added,
  alice,
  bob,
  carol,
  chat1,
  destroyed,
  given,
  imcd,
  invited,
  joined,
  made,
  madePrivate,
  member,
  removed,
  role,
  root,
  withdrawn,
} from './scenario.ts';

describe('add USER [ROOM] (member at once), same rights rule as invite', () => {
  it('broadcasts as join', () => {
    given(madePrivate(), joined(carol))
      .when({ type: 'AddMember', actor: alice, member: bob })
      .then(added(bob))
      .andTells('alice, carol, bob < *** <sip:bob@example.org> has joined the room');
  });

  it('of one who is invited: becomes a member, in the case first seen', () => {
    given(made(), invited(bob))
      .when({ type: 'AddMember', actor: alice, member: member('sip:BOB@example.org') })
      .then(added(bob));
  });

  it('remembers sips: of who is added', () => {
    given(made())
      .when({ type: 'AddMember', actor: alice, member: bob, scheme: 'sips' })
      .then({ type: 'MemberAdded', data: { room: chat1, member: bob, by: alice, scheme: 'sips' } });
  });

  it('refused 409 if already member', () => {
    given(made(), joined(bob))
      .when({ type: 'AddMember', actor: alice, member: bob })
      .thenRefused('AlreadyMember', { member: bob });
  });

  it('is refused to members and strangers', () => {
    given(made(), joined(bob)).when({ type: 'AddMember', actor: bob, member: carol }).thenRefused('NotOwnerOrAdmin');
    given(made()).when({ type: 'AddMember', actor: bob, member: bob }).thenRefused('NotOwnerOrAdmin');
  });
});

describe('modify USER owner|admin|member [ROOM]', () => {
  it('broadcasts `*** sip:user@domain is now ROLE`', () => {
    given(made(), joined(bob), invited(carol))
      .when({ type: 'ChangeRole', actor: alice, member: member('sip:BOB@example.org'), role: 'admin' })
      .then(role(bob, 'admin'))
      .andTells('alice, bob < *** sip:bob@example.org is now admin');
  });

  it('owner hands the room over; the old owner becomes admin', () => {
    given(made(), joined(bob))
      .when({ type: 'ChangeRole', actor: alice, member: bob, role: 'owner' })
      .then(role(bob, 'owner'))
      .andTells('alice, bob < *** sip:bob@example.org is now owner');
    given(made(), joined(bob), role(bob, 'owner')).when({ type: 'DestroyRoom', actor: alice }).thenRefused('NotOwner');
    given(made(), joined(bob), role(bob, 'owner'))
      .when({ type: 'ChangeRole', actor: alice, member: alice, role: 'member' })
      .then(role(alice, 'member'));
  });

  it('owner only for `owner`', () => {
    given(made(), joined(bob), role(bob, 'admin'))
      .when({ type: 'ChangeRole', actor: bob, member: bob, role: 'owner' })
      .thenRefused('NotOwner');
  });

  it('admins make admins and members', () => {
    const room = [made(), joined(bob), role(bob, 'admin'), joined(carol)];
    given(...room)
      .when({ type: 'ChangeRole', actor: bob, member: carol, role: 'admin' })
      .then(role(carol, 'admin', bob));
    given(...room)
      .when({ type: 'ChangeRole', actor: bob, member: bob, role: 'member' })
      .then(role(bob, 'member', bob));
  });

  it('the owner cannot be made less (403: hand over first)', () => {
    for (const less of ['admin', 'member'] as const) {
      given(made())
        .when({ type: 'ChangeRole', actor: alice, member: alice, role: less })
        .thenRefused('OwnerCannotBeDemoted');
    }
  });

  it('the role already held: no event, 200', () => {
    given(made()).when({ type: 'ChangeRole', actor: alice, member: alice, role: 'owner' }).thenNothing().andTells();
    given(made(), joined(bob))
      .when({ type: 'ChangeRole', actor: alice, member: bob, role: 'member' })
      .thenNothing()
      .andTells();
  });

  it('of a non-member: 404; one who is invited is none', () => {
    const asked = { type: 'ChangeRole', actor: alice, member: bob, role: 'admin' } as const;
    given(made()).when(asked).thenRefused('NoSuchMember', { member: bob });
    given(made(), invited(bob)).when(asked).thenRefused('NoSuchMember', { member: bob });
  });

  it('is refused to members, to the invited and to strangers', () => {
    const asked = { type: 'ChangeRole', actor: bob, member: alice, role: 'admin' } as const;
    given(made(), joined(bob)).when(asked).thenRefused('NotOwnerOrAdmin');
    given(made(), invited(bob)).when(asked).thenRefused('NotOwnerOrAdmin');
    given(made())
      .when({ ...asked, member: carol })
      .thenRefused('NotOwnerOrAdmin');
  });
});

describe('destroy_room and remove_member of MI: through the same decide, with the operator as the actor', () => {
  it('destroys, and tells all members', () => {
    given(made(), joined(bob))
      .when({ type: 'DestroyRoom', actor: root })
      .then(destroyed(root))
      .andTells('alice, bob < The room has been destroyed');
  });

  it('removes members and withdraws invitations', () => {
    given(made(), joined(bob)).when({ type: 'RemoveMember', actor: root, member: bob }).then(removed(bob, root));
    given(made(), invited(bob))
      .when({ type: 'RemoveMember', actor: root, member: bob })
      .then(withdrawn(bob, { by: root }));
  });

  it('may do what an owner may, and no more: the owner cannot be removed', () => {
    given(made()).when({ type: 'RemoveMember', actor: root, member: alice }).thenRefused('OwnerCannotBeRemoved');
    given(made(), joined(bob))
      .when({ type: 'ChangeRole', actor: root, member: bob, role: 'owner' })
      .then(role(bob, 'owner', root));
  });

  it('is told 404 of rooms and members that are not there', () => {
    given().when({ type: 'DestroyRoom', actor: root }).thenRefused('NoSuchRoom');
    given(made()).when({ type: 'RemoveMember', actor: root, member: bob }).thenRefused('NoSuchMember', { member: bob });
  });

  it('invites and adds in its own name, and is sent nothing', () => {
    given(made())
      .when({ type: 'InviteMember', actor: root, member: bob })
      .then(invited(bob, root))
      .andTells("bob < INVITE from: operator:root(Type: '#accept' or '#deny')");
    given(made()).when({ type: 'AddMember', actor: root, member: bob }).then(added(bob, root));
    given(made(), invited(bob, root))
      .when({ type: 'WithdrawInvitation', actor: imcd, member: bob })
      .then(withdrawn(bob, { by: imcd, inviter: root, cause: 'undeliverable' }))
      .andTells();
    given(made(), invited(bob, root)).when({ type: 'AcceptInvitation', actor: bob }).then(accepted(bob));
  });
});
