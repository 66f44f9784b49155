import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as E from 'fp-ts/lib/Either.js';
import { domainOf, MemberUri, memberKey, RoomUri, roomKey, userOf, withoutScheme } from '../../src/room/address.ts';
import { parseMember, parseRoom } from '../../src/room/parse-address.ts';
import { roomOfStream, streamOf } from '../../src/room/stream.ts';
import { member, roomUri } from './scenario.ts';

const isMember = (text: string, uri: string, scheme: 'sip' | 'sips' = 'sip'): void =>
  assert.deepEqual(parseMember(text, 'opensips.org'), E.right({ uri, scheme }), text);
const isRoom = (text: string, uri: string): void =>
  assert.deepEqual(parseRoom(text, 'opensips.org'), E.right(uri), text);
const isBad = (text: string): void => {
  assert.deepEqual(parseMember(text, 'opensips.org'), E.left({ reason: 'BadAddress', found: text }), text);
  assert.deepEqual(parseRoom(text, 'opensips.org'), E.left({ reason: 'BadAddress', found: text }), text);
};

describe('identity is (user, domain), compared without regard to ASCII case in both parts (no other folding)', () => {
  it('has one key for both cases', () => {
    assert.equal(memberKey(member('sip:Alice@Example.ORG')), 'alice@example.org');
    assert.equal(roomKey(roomUri('sip:Chat-1@Example.ORG')), 'chat-1@example.org');
  });
  it('folds nothing but ASCII', () => {
    const umlaut = (text: string) => memberKey(member(`sip:${text}@x.org`));
    assert.notEqual(umlaut('%C3%84'), umlaut('%C3%A4'));
  });
  it('names the stream, and back', () => {
    const key = roomKey(roomUri('sip:Chat-1@Example.org'));
    assert.equal(streamOf(key), 'room-chat-1@example.org');
    assert.equal(roomOfStream(streamOf(key)), key);
    assert.equal(roomOfStream('transcript-chat-1@example.org'), undefined);
  });
  it('has parts', () => {
    const uri = member('sip:Alice@[2001:DB8::1]');
    assert.equal(userOf(uri), 'Alice');
    assert.equal(domainOf(uri), '[2001:DB8::1]');
    assert.equal(withoutScheme(uri), 'Alice@[2001:DB8::1]');
  });
});

describe('the canonical URI is sip:user@domain', () => {
  it('is nothing else', () => {
    for (const other of [
      'alice@x.org',
      'sips:alice@x.org',
      'SIP:alice@x.org',
      'sip:alice@x.org:5060',
      'sip:alice@x.org;transport=tcp',
      'sip:alice:secret@x.org',
      'sip:@x.org',
      'sip:x.org',
      'sip:alice@',
      'sip:alice@-x.org',
      'sip:alice@x.org\n',
      'sip:al ice@x.org',
      'sip:al%20ice%6@x.org',
      'sip:alice@x@y',
    ]) {
      assert.ok(!MemberUri.is(other), other);
      assert.ok(!RoomUri.is(other), other);
    }
  });
  it('has one spelling for each user: what may stand unescaped does, what may not does not, in upper case', () => {
    for (let byte = 0; byte < 256; byte += 1) {
      const hex = byte.toString(16).padStart(2, '0');
      const plain = /[A-Za-z0-9\-_.!~*'()&=+$,;?/]/.test(String.fromCharCode(byte));
      const upper = `sip:a%${hex.toUpperCase()}@x.org`;
      assert.equal(MemberUri.is(upper), !plain, upper);
      assert.equal(MemberUri.is(`sip:a%${hex}@x.org`), !plain && hex === hex.toUpperCase(), hex);
      isMember(`sip:a%${hex}@x.org`, plain ? `sip:a${String.fromCharCode(byte)}@x.org` : upper);
    }
  });
});

describe('a user argument may be `sip:john@opensips.org`, `john@opensips.org` or `john`', () => {
  it('scheme defaults to sip:, domain to that of the conference', () => {
    for (const text of [
      'john',
      'john@opensips.org',
      'sip:john@opensips.org',
      'SIP:john@opensips.org',
      '<sip:john@opensips.org>',
    ])
      isMember(text, 'sip:john@opensips.org');
  });
  it('parameters, port, password and headers are no part of it', () => {
    for (const text of [
      'sip:john@opensips.org;transport=tcp',
      'sip:john@opensips.org:5070;lr?Subject=x',
      'sip:john:secret@opensips.org',
      'john@opensips.org:5060',
      'sip:john:a@opensips.org?to=b%40c',
    ])
      isMember(text, 'sip:john@opensips.org');
  });
  it('sips: is told', () => {
    isMember('sips:john@opensips.org', 'sip:john@opensips.org', 'sips');
    isMember('SIPS:john@x.org', 'sip:john@x.org', 'sips');
  });
  it('keeps the case, and what a user part may hold', () => {
    isMember('John', 'sip:John@opensips.org');
    isMember('sip:+1-555;phone-context=x@h', 'sip:+1-555;phone-context=x@h');
    isMember("-_.!~*'()&=+$,;?/@h", "sip:-_.!~*'()&=+$,;?/@h");
    isMember('a{b}', 'sip:a%7Bb%7D@opensips.org');
    isMember('\u{1f600}', 'sip:%F0%9F%98%80@opensips.org');
  });
  it('knows domains: names, IPv4, IPv6', () => {
    for (const domain of [
      'h',
      'a-b.c',
      '127.0.0.1',
      'x.org.',
      '[::1]',
      '[2001:db8::7:1]',
      '[::]',
      '[1:2:3:4:5:6:7:8]',
      '[::ffff:192.0.2.1]',
      '[1::8]',
    ])
      isMember(`a@${domain}`, `sip:a@${domain}`);
    isMember('sip:a@[::1]:5060', 'sip:a@[::1]');
    for (const domain of [
      '',
      '-a',
      'a-',
      'a..b',
      '.a',
      'a_b',
      'a b',
      '::1',
      '[]',
      '[:]',
      '[1]',
      '[1:2:3:4:5:6:7]',
      '[1:2:3:4:5:6:7:8:9]',
      '[1::2::3]',
      '[:::]',
      '[12345::]',
      '[1:2:3:4:5:6:7:8::]',
      '[::1',
      '[::g]',
      '[1.2.3.4::]',
    ])
      isBad(`a@${domain}`);
  });
  it('is none of these', () => {
    for (const text of [
      '',
      '@',
      'sip:',
      'sips:',
      'sip:john',
      'sip:@x',
      'john@',
      '@x',
      'a@b@c',
      'tel:+1555',
      'mailto:john@x.org',
      'john:secret@x.org',
      'a%',
      'a%2',
      'a%2g',
      'a%-1',
      'a b',
      'a\tb',
      'a\0',
      'a\x7f',
      '"a"',
      '<a',
      'a>',
      '<<a>>',
      'Alice <sip:a@x>',
      '\ud800',
    ])
      isBad(text);
  });
  it('refuses a text without a domain where none is given', () => {
    assert.ok(E.isLeft(parseMember('john', '')));
    assert.ok(E.isRight(parseMember('john@x', '')));
  });
});

describe('a room argument may be a bare name, chat-000@opensips.org or a full SIP URI', () => {
  it('escapes are undone: `chat%2d1` is `chat-1`', () => {
    for (const text of [
      'chat-1',
      'chat%2d1',
      'chat-1@opensips.org',
      'sip:chat-1@opensips.org',
      'sips:c%68at-1@opensips.org:5061',
    ])
      isRoom(text, 'sip:chat-1@opensips.org');
  });
});

describe("name, user and domain 64 characters each, the room's whole URI 64", () => {
  const tooLong = (what: string, found: number, most = 64) => E.left({ reason: 'TooLong', what, found, most });
  it('holds members', () => {
    const [user, domain] = ['u'.repeat(64), 'd'.repeat(64)];
    isMember(`${user}@${domain}`, `sip:${user}@${domain}`);
    assert.deepEqual(parseMember(`${user}u@x`, ''), tooLong('The user', 65));
    assert.deepEqual(parseMember(`u@d${domain}`, ''), tooLong('The domain', 65));
  });
  it('counts escapes as they stand in the URI', () => {
    isMember('\u{1f600}'.repeat(5), `sip:${'%F0%9F%98%80'.repeat(5)}@opensips.org`);
    assert.deepEqual(parseMember('\u{1f600}'.repeat(6), 'x'), tooLong('The user', 72));
  });
  it('holds rooms: name and domain at most 59', () => {
    isRoom(`${'r'.repeat(50)}@${'d'.repeat(9)}`, `sip:${'r'.repeat(50)}@${'d'.repeat(9)}`);
    assert.deepEqual(parseRoom(`${'r'.repeat(50)}@${'d'.repeat(10)}`, ''), tooLong("The room's whole URI", 65));
    assert.deepEqual(parseRoom(`${'r'.repeat(65)}@d`, ''), tooLong("The room's name", 65));
    assert.deepEqual(parseRoom(`r@${'d'.repeat(65)}`, ''), tooLong('The domain', 65));
  });
  it('looks at no text over 1024 characters', () => {
    assert.deepEqual(parseMember(`sip:a@b;x=${'y'.repeat(1015)}`, ''), tooLong('The address', 1025, 1024));
    assert.ok(E.isRight(parseMember(`sip:a@b;x=${'y'.repeat(1014)}`, '')));
  });
});
