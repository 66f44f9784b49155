import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import { waitAtMost } from '../../bounds/deadline.ts';
import { showTransportAddress } from '../../net/address.ts';
import type { Clock, Timer } from '../../ports/clock.ts';
import type { Ids } from '../../ports/ids.ts';
import { type RoomUri, userOf } from '../../room/address.ts';
import { openChatClient } from './client.ts';
import { type OutgoingRequests, type RequestFailure, type Sender, unanswered } from './outgoing.ts';
import { watchRefusal } from './reach.ts';
import { type ChatStreams, Screen } from './screen.ts';

/** A session of `imcd chat`: registers, joins, sends what is typed, prints what comes, unregisters. */

export interface ChatOptions extends Sender {
  readonly clock: Clock;
  readonly ids: Ids;
  readonly room: RoomUri;
  /** `imc_cmd_start_char` of the server. */
  readonly startChar: string;
}

const registerSeconds = 600;
/** A server that does not answer the first request within this is not there. */
const patienceMs = 5_000;
const goodbyeMs = 2_000;
const retryMs = 30_000;

/**
 * Right: the exit code, 0 after Ctrl-D, `/quit` or the end of a pipe; 1 where the server is not there or does not let us in,
 * which `errors` has been told. Left: a sentence, where there is no way to the server.
 */
export const runChat = (options: ChatOptions, streams: ChatStreams): TE.TaskEither<string, number> => {
  const screen = new Screen(streams, options.clock);
  return pipe(
    openChatClient({ ...options, onMessage: (from, type, body) => screen.message(from, type, body) }),
    TE.chainTaskK(
      ({ requests, close }) =>
        () =>
          session(options, requests, screen).finally(close),
    ),
  );
};

const session = async (options: ChatOptions, requests: OutgoingRequests, screen: Screen): Promise<number> => {
  const { clock } = options;
  const registered = await firstRegister(options, requests);
  if (E.isLeft(registered)) {
    screen.say(`imcd chat: ${notRegistered(registered.left, options)}`);
    return 1;
  }
  const refresh = keepRegistered(requests, clock, registered.right, (reason) =>
    screen.say(`! The registration could not be renewed: ${reason}. It is tried again.`),
  );
  try {
    return await talk(options, requests, screen);
  } finally {
    refresh.cancel();
    await waitAtMost(clock, goodbyeMs, requests.register(0)(), () => {});
  }
};

/** Joins, then sends line after line, each when the one before is answered. */
const talk = async (options: ChatOptions, requests: OutgoingRequests, screen: Screen): Promise<number> => {
  const { aor, room, startChar } = options;
  const where = showTransportAddress(options.server);
  const joined = await requests.message(room, `${startChar}join`)();
  if (E.isLeft(joined)) {
    screen.failure(joined.left, where);
    screen.say(`imcd chat: ${room} could not be joined.`);
    return 1;
  }
  const greeting = `In ${room} as ${aor}. ${startChar}help shows the commands, Ctrl-D leaves.`;
  for await (const line of screen.lines({ prompt: `${userOf(aor)}> `, greeting, startChar })) {
    if (line.trim() === '/quit') break;
    if (line.trim() === '') continue;
    const sent = await requests.message(room, line)();
    if (E.isLeft(sent)) screen.failure(sent.left, where);
  }
  await screen.leave();
  return 0;
};

const notRegistered = ({ status, reason }: RequestFailure, { aor, password, server }: ChatOptions): string => {
  const where = showTransportAddress(server);
  if (status === undefined)
    return `no answer from ${where} (${reason}). Does imcd run there? Name another with --server.`;
  if ((status === 401 || status === 407) && password === undefined)
    return `${where} asks for a password. Name a file that holds it with --password-file.`;
  return `${where} does not register ${aor}: ${reason} (${status})`;
};

/** Right: the seconds that the server gave. */
const firstRegister = async (
  { clock, server }: ChatOptions,
  requests: OutgoingRequests,
): Promise<E.Either<RequestFailure, number>> => {
  let end = (): void => {};
  const refused = new Promise<E.Either<RequestFailure, number>>((resolve) => {
    end = watchRefusal(server, () => resolve(E.left(unanswered('nothing listens there'))));
  });
  const first = Promise.race([refused, requests.register(registerSeconds)()]);
  const late = () => E.left(unanswered(`${patienceMs / 1_000} s passed`));
  const outcome = await waitAtMost(clock, patienceMs, first, late);
  end();
  return outcome;
};

/** Renews the registration at half of its time, and says so where that fails. */
const keepRegistered = (
  requests: OutgoingRequests,
  clock: Clock,
  seconds: number,
  failed: (reason: string) => void,
): Timer => {
  let timer: Timer;
  const renew = async (): Promise<void> => {
    const renewed = await requests.register(registerSeconds)();
    if (E.isLeft(renewed)) failed(renewed.left.reason);
    timer = clock.after(E.isLeft(renewed) ? retryMs : half(renewed.right), () => void renew());
  };
  timer = clock.after(half(seconds), () => void renew());
  return { cancel: () => timer.cancel() };
};
const half = (seconds: number): number => Math.max(15, seconds / 2) * 1_000;
