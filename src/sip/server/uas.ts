import type { Conference, IncomingMessage } from '../../engine/conference.ts';
import { showTransportAddress } from '../../net/address.ts';
import { isCommand } from '../../room/syntax.ts';
import { schemeOf } from '../message/grammar.ts';
import type { SipRequest } from '../message/message.ts';
import { readParameters } from '../message/parameters.ts';
import { namedUser } from '../message/user.ts';
import { badRequest, ok, type SipAnswer } from '../transaction/answer.ts';
import type { Source } from '../transport/transport.ts';
import {
  badExtension,
  capabilities,
  loopDetected,
  merged,
  methodNotAllowed,
  noSuchTransaction,
  senderNotBelieved,
  sipAnswer,
  tooLarge,
  tooManyHops,
  unsupportedEncoding,
  unsupportedScheme,
  unsupportedType,
} from './answers.ts';
import { placeOf, type RoutingRule } from './routing.ts';

/** The user agent server (RFC 3261 8.2): a request that has begun its transaction becomes one answer. */
export interface Uas {
  /** Calls `answer` once; `byEngine` where the engine has seen the request, and put into the log what it refused. */
  readonly handle: (request: SipRequest, source: Source, isMerged: boolean, answer: Later) => void;
}

export interface UasOptions {
  readonly conference: Conference;
  readonly rule: RoutingRule;
  /** Takes a REGISTER whose sender is believed. Calls `answer` once. */
  readonly register: (request: SipRequest, source: Source, answer: (answer: SipAnswer) => void) => void;
  /** Is there a transaction that this CANCEL means? */
  readonly cancels: (request: SipRequest) => boolean;
  /** Is a sender at this IP address believed to be who From says? */
  readonly believed: (address: string) => boolean;
  /** How branches of our own client transactions begin. */
  readonly branchPrefix: string;
  readonly maxMessageSize: number;
  /** `imc_cmd_start_char`. */
  readonly startChar: string;
}

export const createUas = (options: UasOptions): Uas => {
  const { conference, rule, register, cancels, believed, branchPrefix, maxMessageSize, startChar } = options;
  const answerOf = sipAnswer(startChar);

  /** What is wrong with any request, in the order of RFC 3261 8.2; undefined where nothing is. */
  const inspect = (request: SipRequest, isMerged: boolean): SipAnswer | undefined => {
    const { method } = request;
    if (method !== 'MESSAGE' && method !== 'OPTIONS' && method !== 'REGISTER') return methodNotAllowed; // 8.2.1
    const scheme = schemeOf(request.uri);
    if (scheme !== 'sip' && scheme !== 'sips') return unsupportedScheme; // 8.2.2.1
    // A copy of ours that has come back, by a member whose address is a room's, or by a proxy: it would go round for ever.
    if (request.vias.some((via) => via.includes(branchPrefix))) return loopDetected;
    if (isMerged) return merged; // 8.2.2.2
    if (request.toTag !== undefined && method === 'MESSAGE') return noSuchTransaction; // 12.2.2: imcd has no dialogs
    // 16.3: a conference passes on what it gets, as a proxy does. OPTIONS (11) and REGISTER (10.3) end here.
    if (request.maxForwards === 0 && method === 'MESSAGE') return tooManyHops;
    if (request.require.length > 0) return badExtension(request.require); // 8.2.2.3: there is none that imcd knows
    if (request.contentEncoding.length > 0 && request.body.length > 0) return unsupportedEncoding; // 8.2.3
    if (request.body.length > maxMessageSize) return tooLarge(maxMessageSize);
    return undefined;
  };

  /** What the engine gets of a MESSAGE; an answer where it gets nothing. */
  const messageOf = (request: SipRequest, source: Source): IncomingMessage | SipAnswer => {
    const { body } = request;
    const place = placeOf(rule, request);
    if ('status' in place) return place;
    const sender = namedUser('From', request.from.uri);
    if ('status' in sender) return badRequest(sender.reason);
    if (body.length === 0) return badRequest('The body is empty');
    const contentType = request.contentType ?? 'text/plain';
    const type = mediaTypeOf(contentType);
    if (type === undefined) return badRequest('Content-Type cannot be read');
    if (isCommand(body, startChar) && !isReadable(type))
      return unsupportedType('A command must be text/plain in UTF-8');
    const { callId, fromTag } = request;
    return {
      ...place,
      sender: sender.uri,
      ...(sender.scheme === undefined ? {} : { scheme: sender.scheme }),
      contentType,
      body,
      origin: {
        source: showTransportAddress(source),
        correlationId: callId,
        request: { callId, cseq: `${request.cseq} ${request.method}`, fromTag },
      },
    };
  };

  /** The answer to a request that needs nobody else; undefined where one has been asked. */
  const direct = (request: SipRequest, source: Source, isMerged: boolean, later: Later): SipAnswer | undefined => {
    if (request.method === 'CANCEL') return cancels(request) ? ok : noSuchTransaction; // 9.2: without effect
    const wrong = inspect(request, isMerged);
    if (wrong !== undefined) return wrong;
    if (request.method === 'OPTIONS') return capabilities;
    // Digest users will be asked who they are here (RFC 3261 22): 401 instead of 403.
    if (!believed(source.host)) return senderNotBelieved;
    if (request.method === 'REGISTER') {
      if (request.body.length > 0 && !isOptional(request.contentDisposition))
        return unsupportedType('A REGISTER with a body is not understood');
      register(request, source, (reply) => later(reply, false));
      return undefined;
    }
    const incoming = messageOf(request, source);
    if ('status' in incoming) return incoming;
    conference.message(incoming, (result) => later(answerOf(result), true));
    return undefined;
  };

  return {
    handle: (request, source, isMerged, answer) => {
      const now = direct(request, source, isMerged, answer);
      if (now !== undefined) answer(now, false);
    },
  };
};

type Later = (answer: SipAnswer, byEngine: boolean) => void;

interface MediaType {
  /** `type/subtype` in lower case. */
  readonly name: string;
  readonly charset: string | undefined;
}

const mediaTypeOf = (text: string): MediaType | undefined => {
  const match = /^([A-Za-z0-9\-.!%*_+`'~]{1,100})\s*\/\s*([A-Za-z0-9\-.!%*_+`'~]{1,100})\s*(?=;|$)/.exec(text);
  if (match === null) return undefined;
  const parameters = readParameters(text, match[0].length);
  const charset = parameters?.find(({ name }) => name === 'charset')?.value?.toLowerCase();
  return parameters === undefined ? undefined : { name: `${match[1]}/${match[2]}`.toLowerCase(), charset };
};

/** Commands are ASCII, and UTF-8 in what users are called. */
const isReadable = ({ name, charset }: MediaType): boolean =>
  name.startsWith('text/') && (charset === undefined || /^(utf-?8|us-ascii|iso-8859-\d+)$/.test(charset));

/** RFC 3261 20.11: what need not be understood. */
const isOptional = (disposition: string | undefined): boolean =>
  disposition !== undefined && /;\s*handling\s*=\s*optional\b/i.test(disposition.slice(0, 1_000));
