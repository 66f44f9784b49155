import type { Answer, Failure } from '../../engine/conference.ts';
import { refusalStatus } from '../../room/refusals.ts';
import { reasonOf } from '../../room/texts.ts';
import { answer, ok, overloaded, type SipAnswer } from '../transaction/answer.ts';

/**
 * The answers that the user agent server gives. What the engine refuses or fails at has its status and reason in one total
 * table.
 */

/** Methods that imcd takes (RFC 3261 20.5). */
export const allowedMethods = 'MESSAGE, OPTIONS, REGISTER, CANCEL, ACK';
const allow = `Allow: ${allowedMethods}\r\n`;
/** A body of any type is relayed; a command must be text (RFC 3261 20.1). */
const acceptText = 'Accept: text/plain\r\n';

/** To OPTIONS: what imcd can do (RFC 3261 11.2). */
export const capabilities = answer(
  200,
  'OK',
  `${allow}Accept: text/plain, */*\r\nAccept-Encoding: identity\r\nAccept-Language: en\r\nSupported: \r\n`,
);
export const methodNotAllowed = answer(405, 'Method Not Allowed', allow);
export const uriTooLong = (reason: string): SipAnswer => answer(414, reason);
export const unsupportedEncoding = answer(415, 'Content-Encoding is not supported', 'Accept-Encoding: identity\r\n');
export const unsupportedType = (reason: string): SipAnswer => answer(415, reason, acceptText);
export const unsupportedScheme = answer(416, 'Unsupported URI Scheme');
export const badExtension = (tags: readonly string[]): SipAnswer =>
  answer(420, 'Bad Extension', `Unsupported: ${tags.join(', ')}\r\n`);
export const noSuchTransaction = answer(481, 'Call/Transaction Does Not Exist');
export const loopDetected = answer(482, 'Loop Detected');
export const merged = answer(482, 'Merged Request');
export const tooManyHops = answer(483, 'Too Many Hops');
export const tooLarge = (most: number): SipAnswer => answer(513, `Message Too Large: at most ${most} bytes of body`);
export const senderNotBelieved = answer(403, 'Forbidden: your address is not among the trusted ones');

/** Seconds after which a command may be tried again that the store could not take. */
const failureRetry = 5;
/** Seconds after which one may be tried again that came in a rush. */
const overloadRetry = 2;

/** What a failure says to a stranger: never the message, which may name hosts and files. */
const failureReason: Readonly<Record<Exclude<Failure['kind'], 'Overloaded'>, string>> = {
  StoreUnavailable: 'The log cannot be reached, nothing was changed',
  OutcomeUnknown: 'The log did not say whether the change was written',
  StoreFull: 'The log is full, nothing was changed',
  StoreRefused: 'The log refused the change',
  StoreDamaged: 'The log is damaged',
  StoreClosed: 'The server is stopping',
  RoomStopped: 'The room has events that this server does not know',
  Lagging: 'The server has not caught up with the log',
  Defect: 'Server Internal Error',
};

/**
 * How the engine's answer looks in SIP: refusal or failure to status and reason, one total table (behaviour section 5).
 *
 * @param startChar `imc_cmd_start_char`, for the reasons that name a command
 */
export const sipAnswer =
  (startChar: string) =>
  (result: Answer): SipAnswer => {
    switch (result.kind) {
      case 'done':
        return ok;
      case 'refused':
        return answer(refusalStatus(result.refusal), reasonOf(result.refusal, startChar));
      case 'failed': {
        const { kind } = result.failure;
        if (kind === 'Overloaded') return overloaded(overloadRetry, 'Too many commands at once');
        return answer(500, failureReason[kind], `Retry-After: ${failureRetry}\r\n`);
      }
    }
  };
