import { type CompleterResult, createInterface, type Interface } from 'node:readline';
import { waitAtMost } from '../../bounds/deadline.ts';
import { showTransportAddress } from '../../net/address.ts';
import type { Clock, Timer } from '../../ports/clock.ts';
import type { Ids } from '../../ports/ids.ts';
import type { Log } from '../../ports/log.ts';
import { type MemberUri, type RoomUri, userOf } from '../../room/address.ts';
import { completeCommand } from '../../room/completion.ts';
import type { Target } from '../../sip/transport/transport.ts';
import { printable } from '../terminal/show.ts';
import { type ChatClient, isDone, type Outcome, openChatClient, unanswered, watchRefusal } from './client.ts';

/** A session of `imcd chat`: registers, joins, sends what is typed, prints what comes, unregisters. */

export interface ChatOptions {
  readonly clock: Clock;
  readonly ids: Ids;
  readonly aor: MemberUri;
  readonly room: RoomUri;
  readonly server: Target;
  /** `imc_cmd_start_char` of the server. */
  readonly startChar: string;
  readonly password: string | undefined;
  readonly product: string;
}

export interface ChatStreams {
  readonly input: NodeJS.ReadableStream & { readonly isTTY?: boolean };
  readonly output: NodeJS.WritableStream & { readonly isTTY?: boolean };
  readonly errors: NodeJS.WritableStream;
}

const registerSeconds = 600;
/** A server that does not answer the first request within this is not there. */
const patienceMs = 5_000;
const goodbyeMs = 2_000;
const retryMs = 30_000;
/** After the last line of a pipe: until nothing has come for so long, and at most for so long. */
const quietMs = 300;
const quietAtMostMs = 3_000;

/** @returns the exit code: 0 after Ctrl-D, `/quit` or the end of a pipe; 1 where the server is not there or does not let us in */
export const runChat = async (options: ChatOptions, { input, output, errors }: ChatStreams): Promise<number> => {
  const { clock, room, server, startChar } = options;
  const where = showTransportAddress(server);
  const interactive = input.isTTY === true && output.isTTY === true;
  let lines: Interface | undefined;
  /** Reasons that were shown from an answer and come once more as a MESSAGE (`notify_errors`). */
  const shown = new Set<string>();
  let lastCame = clock.monotonic();

  const print = (to: NodeJS.WritableStream, text: string): void => {
    if (!interactive) {
      to.write(`${text}\n`);
      return;
    }
    output.write('\r\x1b[K'); // the prompt and what is being typed; shown again below
    to.write(`${text}\n`);
    lines?.prompt(true);
  };
  const say = (text: string): void => print(errors, printable(text));

  const onMessage = (from: string, contentType: string, body: Buffer): void => {
    lastCame = clock.monotonic();
    if (!/^text\//i.test(contentType)) {
      print(output, printable(`[${contentType}, ${body.length} bytes, from ${from}]`));
      return;
    }
    const text = body.toString('utf8');
    if (!shown.delete(text.replace(/^\*\*\* /, ''))) print(output, printable(text, '\n\t'));
  };

  const explain = (outcome: Outcome): void => {
    if (outcome.status === 0) say(`! No answer from ${where}: ${outcome.reason}`);
    else if (outcome.status >= 300) {
      shown.add(outcome.reason);
      say(`! ${outcome.reason} (${outcome.status})`);
    }
  };

  const client = await openChatClient({ ...options, log: silent, onMessage });
  /** Sends line after line, each when the one before is answered. */
  const talk = async (): Promise<void> => {
    const prompt = `${userOf(options.aor)}> `;
    const completer = completerOf(startChar);
    const reader = createInterface({ input, output, terminal: interactive, prompt, completer });
    reader.on('close', () => {
      lines = undefined;
    });
    reader.on('SIGINT', () => reader.close());
    if (interactive) {
      lines = reader;
      say(`In ${room} as ${options.aor}. ${startChar}help shows the commands, Ctrl-D leaves.`);
    }
    for await (const line of reader) {
      if (line.trim() === '/quit') break;
      if (line.trim() !== '') explain(await client.message(room, line));
      lines?.prompt();
    }
    reader.close();
    if (interactive) output.write('\n');
    else await quiet(clock, () => lastCame);
  };

  try {
    const registered = await firstRegister(client, clock, server);
    if (!isDone(registered)) {
      say(`imcd chat: ${notRegistered(registered, where, options)}`);
      return 1;
    }
    const refresh = keepRegistered(client, clock, registered.seconds, (reason) =>
      say(`! The registration could not be renewed: ${reason}. It is tried again.`),
    );
    try {
      const joined = await client.message(room, `${startChar}join`);
      if (isDone(joined)) await talk();
      else {
        explain(joined);
        say(`imcd chat: ${room} could not be joined.`);
      }
      return isDone(joined) ? 0 : 1;
    } finally {
      refresh.cancel();
      await waitAtMost(clock, goodbyeMs, client.register(0), () => {});
    }
  } finally {
    await client.close();
  }
};

/** Tab, on a terminal. */
const completerOf =
  (startChar: string) =>
  (line: string): CompleterResult => {
    const { typed, candidates } = completeCommand(line, startChar);
    return [[...candidates], typed];
  };

const notRegistered = ({ status, reason }: Outcome, where: string, { aor, password }: ChatOptions): string => {
  if (status === 0) return `no answer from ${where} (${reason}). Does imcd run there? Name another with --server.`;
  if ((status === 401 || status === 407) && password === undefined)
    return `${where} asks for a password. Name a file that holds it with --password-file.`;
  return `${where} does not register ${aor}: ${reason} (${status})`;
};

const silent: Log = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

const firstRegister = async (client: ChatClient, clock: Clock, server: Target): Promise<Outcome> => {
  let end = (): void => {};
  const refused = new Promise<Outcome>((resolve) => {
    end = watchRefusal(server, () => resolve(unanswered('nothing listens there')));
  });
  const first = Promise.race([refused, client.register(registerSeconds)]);
  const outcome = await waitAtMost(clock, patienceMs, first, () => unanswered(`${patienceMs / 1_000} s passed`));
  end();
  return outcome;
};

/** Renews the registration at half of its time, and says so where that fails. */
const keepRegistered = (client: ChatClient, clock: Clock, seconds: number, failed: (reason: string) => void): Timer => {
  let timer: Timer;
  const renew = async (): Promise<void> => {
    const outcome = await client.register(registerSeconds);
    if (isDone(outcome)) timer = clock.after(half(outcome.seconds), () => void renew());
    else {
      failed(outcome.reason);
      timer = clock.after(retryMs, () => void renew());
    }
  };
  timer = clock.after(half(seconds), () => void renew());
  return { cancel: () => timer.cancel() };
};
const half = (seconds: number): number => Math.max(15, seconds / 2) * 1_000;

/** What a pipe's last lines led to (`#list`) comes after their answers. */
const quiet = (clock: Clock, lastCame: () => number): Promise<void> =>
  new Promise((done) => {
    const from = clock.monotonic();
    const look = (): void => {
      const now = clock.monotonic();
      const since = now - Math.max(from, lastCame());
      if (since >= quietMs || now - from >= quietAtMostMs) done();
      else clock.after(quietMs - since, look);
    };
    look();
  });
