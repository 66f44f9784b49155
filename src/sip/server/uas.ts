import type { Conference, IncomingMessage } from '../../engine/conference.ts';
import { showTransportAddress } from '../../net/address.ts';
import { withScheme } from '../../room/actor.ts';
import type { RoutingRule } from '../../room/routing-rule.ts';
import { isCommand } from '../../room/syntax.ts';
import type { SipRequest } from '../message/message.ts';
import { namedUser } from '../message/user.ts';
import { badRequest, ok, type SipAnswer } from '../transaction/answer.ts';
import type { Source } from '../transport/transport.ts';
import { capabilities, noSuchTransaction, senderNotBelieved, sipAnswer, unsupportedType } from './answers.ts';
import { type InspectionRule, inspect } from './inspection.ts';
import { isReadable, mediaTypeOf } from './media-type.ts';
import { placeOf } from './routing.ts';

/** The user agent server (RFC 3261 8.2). It answers each request once: itself, or with what the engine or the registrar says. */
export interface Uas {
  /**
   * Answers one request, at once or later.
   *
   * @param isMerged the request has come by another way already (RFC 3261 8.2.2.2)
   */
  readonly handle: (request: SipRequest, source: Source, isMerged: boolean, answer: GiveAnswer) => void;
}

/**
 * Takes the answer to a request. Called once.
 *
 * @param byEngine the answer is the engine's, which writes to the log itself what it refuses
 */
export type GiveAnswer = (answer: SipAnswer, byEngine: boolean) => void;

export interface UasOptions extends InspectionRule {
  readonly conference: Conference;
  readonly rule: RoutingRule;
  /** Takes a REGISTER whose sender is believed. Calls `answer` once. */
  readonly register: (request: SipRequest, source: Source, answer: (answer: SipAnswer) => void) => void;
  /** Is there a transaction that this CANCEL means? */
  readonly cancels: (request: SipRequest) => boolean;
  /** Is a sender at this IP address believed to be who From says? */
  readonly believed: (address: string) => boolean;
  /** `imc_cmd_start_char`. */
  readonly startChar: string;
}

export const createUas = (options: UasOptions): Uas => {
  const { conference, register, cancels, believed } = options;
  const answerOf = sipAnswer(options.startChar);

  return {
    handle: (request, source, isMerged, answer) => {
      const reply = (own: SipAnswer): void => answer(own, false);
      if (request.method === 'CANCEL') return reply(cancels(request) ? ok : noSuchTransaction); // 9.2: without effect
      const wrong = inspect(request, isMerged, options);
      if (wrong !== undefined) return reply(wrong);
      if (request.method === 'OPTIONS') return reply(capabilities);
      // Digest users will be asked who they are here (RFC 3261 22): 401 instead of 403.
      if (!believed(source.host)) return reply(senderNotBelieved);
      if (request.method === 'REGISTER') {
        if (request.body.length > 0 && !isOptional(request.contentDisposition))
          return reply(unsupportedType('A REGISTER with a body is not understood'));
        return register(request, source, reply);
      }
      const message = messageIn(request, source, options);
      if ('status' in message) return reply(message);
      conference.message(message, (result) => answer(answerOf(result), true));
    },
  };
};

/** The message that a MESSAGE brings to a room or the manager; an answer where it brings none. */
const messageIn = (
  request: SipRequest,
  source: Source,
  { rule, startChar }: Pick<UasOptions, 'rule' | 'startChar'>,
): IncomingMessage | SipAnswer => {
  const place = placeOf(rule, request);
  if ('status' in place) return place;
  const sender = namedUser('From', request.from.uri);
  if ('status' in sender) return badRequest(sender.reason);
  const { body, callId, fromTag, contentType = 'text/plain' } = request;
  if (body.length === 0) return badRequest('The body is empty');
  const type = mediaTypeOf(contentType);
  if (type === undefined) return badRequest('Content-Type cannot be read');
  if (isCommand(body, startChar) && !isReadable(type)) return unsupportedType('A command must be text/plain in UTF-8');
  return {
    ...place,
    sender: sender.uri,
    ...withScheme(sender),
    contentType,
    body,
    origin: {
      source: showTransportAddress(source),
      correlationId: callId,
      request: { callId, cseq: `${request.cseq} ${request.method}`, fromTag },
    },
  };
};

/** RFC 3261 20.11: what need not be understood. */
const isOptional = (disposition: string | undefined): boolean =>
  disposition !== undefined && /;\s*handling\s*=\s*optional\b/i.test(disposition.slice(0, 1_000));
