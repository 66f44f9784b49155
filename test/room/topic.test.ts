import { describe, it } from 'node:test';
import {
  accepted,
  added,
  alice,
  bob,
  carol,
  destroyed,
  given,
  invited,
  joined,
  made,
  madePrivate,
  role,
  root,
  topic,
} from './scenario.ts';

describe('topic TEXT: owner and admins set it; broadcast to all, the setter too', () => {
  it('by the owner', () => {
    given(made(), joined(bob), invited(carol))
      .when({ type: 'SetTopic', actor: alice, topic: 'lunch' })
      .then(topic('lunch'))
      .andTells('alice, bob < *** sip:alice@example.org has set the topic: lunch');
  });
  it('by an admin, and by an operator, who is named as he is', () => {
    given(made(), joined(bob), role(bob, 'admin'))
      .when({ type: 'SetTopic', actor: bob, topic: 'lunch' })
      .then(topic('lunch', bob))
      .andTells('alice, bob < *** sip:bob@example.org has set the topic: lunch');
    given(made())
      .when({ type: 'SetTopic', actor: root, topic: 'lunch' })
      .then(topic('lunch', root))
      .andTells('alice < *** operator:root has set the topic: lunch');
  });
  it('others: 403, whatever it is; no room: 404', () => {
    const set = (actor: typeof alice) => ({ type: 'SetTopic', actor, topic: 'lunch' }) as const;
    given(made(), joined(bob)).when(set(bob)).thenRefused('NotOwnerOrAdmin');
    given(made(), joined(bob), topic('lunch')).when(set(bob)).thenRefused('NotOwnerOrAdmin');
    given(made(), invited(bob)).when(set(bob)).thenRefused('NotOwnerOrAdmin');
    given(made()).when(set(bob)).thenRefused('NotOwnerOrAdmin');
    given().when(set(alice)).thenRefused('NoSuchRoom');
    given(made(), destroyed()).when(set(alice)).thenRefused('NoSuchRoom');
  });
  it('the same again: no event', () => {
    given(made(), topic('lunch')).when({ type: 'SetTopic', actor: alice, topic: 'lunch' }).thenNothing().andTells();
    given(made()).when({ type: 'SetTopic', actor: alice, topic: '' }).thenNothing().andTells();
    given(made(), topic('lunch')).when({ type: 'SetTopic', actor: alice, topic: 'Lunch' }).then(topic('Lunch'));
  });
  it('empty: takes it away', () => {
    given(made(), topic('lunch'))
      .when({ type: 'SetTopic', actor: alice, topic: '' })
      .then(topic(''))
      .andTells('alice < *** sip:alice@example.org has set the topic: ');
  });
});

describe('topic: any member is told it; no event', () => {
  const ask = (actor: typeof alice) => ({ type: 'ShowTopic', actor }) as const;
  it('as it is, or that there is none', () => {
    given(made(), joined(bob)).when(ask(bob)).thenNothing().andTells('bob < *** No topic is set');
    given(made(), joined(bob), topic('one'), topic('two'))
      .when(ask(bob))
      .thenNothing()
      .andTells('bob < *** The topic is: two');
    given(made(), topic('one'), topic('')).when(ask(alice)).thenNothing().andTells('alice < *** No topic is set');
  });
  it('others 403, as for list; no room: 404', () => {
    given(made()).when(ask(bob)).thenRefused('NotMember');
    given(made(), invited(bob)).when(ask(bob)).thenRefused('NotMember');
    given().when(ask(alice)).thenRefused('NoSuchRoom');
  });
  it('a destroyed room has none when it is made again', () => {
    given(made(), topic('lunch'), destroyed(), made())
      .when(ask(alice))
      .thenNothing()
      .andTells('alice < *** No topic is set');
  });
});

describe('who becomes a member is told the topic, after all are told of him', () => {
  const told = ['alice, bob < *** <sip:bob@example.org> has joined the room', 'bob < *** The topic is: lunch'];
  it('by join', () => {
    given(made(), topic('lunch'))
      .when({ type: 'JoinRoom', actor: bob })
      .then(joined(bob))
      .andTells(...told);
  });
  it('by accept', () => {
    given(madePrivate(), topic('lunch'), invited(bob))
      .when({ type: 'AcceptInvitation', actor: bob })
      .then(accepted(bob))
      .andTells(...told);
  });
  it('by add', () => {
    given(made(), topic('lunch'))
      .when({ type: 'AddMember', actor: alice, member: bob })
      .then(added(bob))
      .andTells(...told);
  });
  it('not where none is set, and not one who is there already', () => {
    given(made(), topic('lunch'), topic(''))
      .when({ type: 'JoinRoom', actor: bob })
      .then(joined(bob))
      .andTells(...told.slice(0, 1));
    given(made(), topic('lunch'))
      .when({ type: 'JoinRoom', actor: alice })
      .thenNothing()
      .andTells('alice < *** You are in the room already');
  });
});
