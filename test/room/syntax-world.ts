import type { SyntaxContext } from '../../src/room/parameters.ts';
import { parseBody } from '../../src/room/syntax.ts';
import { alice, chat1 } from './scenario.ts';

/** A message of alice to chat-1, unless said otherwise. */
export const context: SyntaxContext = {
  startChar: '#',
  address: chat1,
  addressed: 'room',
  sender: alice,
  isRoomName: (user) => /^chat-[0-9]+$/i.test(user),
  domains: new Set(['example.org', '[::1]']),
};

/** One byte a character, so that bodies can hold any bytes. */
export const bytes = (text: string): Uint8Array => Buffer.from(text, 'latin1');

export const parsed = (body: string, change: Partial<SyntaxContext> = {}) =>
  parseBody(bytes(body), { ...context, ...change });
