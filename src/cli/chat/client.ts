import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import type { Clock } from '../../ports/clock.ts';
import type { Ids } from '../../ports/ids.ts';
import { isResponse } from '../../sip/message/status-line.ts';
import { ClientTransactions } from '../../sip/transaction/client.ts';
import { createRequestSender } from '../../sip/transaction/client-request.ts';
import { ServerTransactions } from '../../sip/transaction/server.ts';
import { createTransports } from '../../sip/transport/create.ts';
import type { Received } from '../../sip/transport/transport.ts';
import { silentLog } from '../terminal/silent-log.ts';
import { answerRequests, type OnMessage } from './incoming.ts';
import { OutgoingRequests, type Sender } from './outgoing.ts';
import { addressTowards } from './reach.ts';

/** The SIP half of `imcd chat`: a user agent on imcd's own transports and transactions, bound to an address that its server reaches. */

export interface ChatClientOptions extends Sender {
  readonly clock: Clock;
  readonly ids: Ids;
  readonly onMessage: OnMessage;
}

export interface ChatClient {
  readonly requests: OutgoingRequests;
  readonly close: () => Promise<void>;
}

/** Biggest body that is taken, in bytes. */
const largestBody = 1_048_576;
/** The user's own requests at a time, and those of others. */
const requestsAtOnce = 64;
const answersAtOnce = 10_000;
const closeMs = 500;

/** Left: a sentence, where no address can be bound from which the server can be reached. */
export const openChatClient = (options: ChatClientOptions): TE.TaskEither<string, ChatClient> =>
  pipe(
    addressTowards(options.server),
    TE.chain((host) => openAt(host, options)),
  );

const openAt = (host: string, options: ChatClientOptions): TE.TaskEither<string, ChatClient> => {
  const { clock, ids, product, server } = options;
  const transactions = new ClientTransactions({ clock, ids, limit: requestsAtOnce });
  const answers = new ServerTransactions({
    clock,
    ids,
    product,
    send: (target, bytes, onFailure) => void transport.send(target, bytes, undefined, onFailure),
    limit: answersAtOnce,
  });
  const answer = answerRequests(answers, options.onMessage);
  const receive = (message: Received): void => {
    if (isResponse(message.bytes)) transactions.response(message.bytes);
    else answer(message);
  };
  const transport = createTransports({ clock, log: silentLog, largestBody, receive })[server.transport];
  const { sendRequest } = createRequestSender(transactions, transport.send);
  const close = async (): Promise<void> => {
    transactions.close();
    answers.close();
    await transport.close(closeMs);
  };
  return pipe(
    TE.tryCatch(
      () => transport.listen({ host, port: 0 }, receive),
      (error) => (error instanceof Error ? error.message : String(error)),
    ),
    TE.orElseFirstTaskK(() => close),
    TE.map(({ local }) => ({ requests: new OutgoingRequests(options, ids, sendRequest, local), close })),
  );
};
