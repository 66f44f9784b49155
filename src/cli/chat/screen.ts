import { createInterface, type Interface } from 'node:readline';
import type { Clock } from '../../ports/clock.ts';
import { completeCommand } from '../../room/completion.ts';
import { printable } from '../terminal/show.ts';
import type { RequestFailure } from './outgoing.ts';

/** The terminal, or the pipe, of `imcd chat`: lines that are typed, and what comes printed above the line that is being typed. */

export interface ChatStreams {
  readonly input: NodeJS.ReadableStream & { readonly isTTY?: boolean };
  readonly output: NodeJS.WritableStream & { readonly isTTY?: boolean };
  readonly errors: NodeJS.WritableStream;
}

export interface Prompting {
  readonly prompt: string;
  /** The first line, on a terminal. */
  readonly greeting: string;
  /** `imc_cmd_start_char` of the server. */
  readonly startChar: string;
}

/** After the last line of a pipe: until nothing has come for so long, and at most for so long. */
const quietMs = 300;
const quietAtMostMs = 3_000;

export class Screen {
  readonly #streams: ChatStreams;
  readonly #clock: Clock;
  readonly #interactive: boolean;
  /** On a terminal, while lines are read. */
  #prompted: Interface | undefined;
  /** Reasons that were shown from an answer and come once more as a MESSAGE (`notify_errors`). */
  readonly #shown = new Set<string>();
  /** Monotonic. */
  #lastCame: number;

  constructor(streams: ChatStreams, clock: Clock) {
    this.#streams = streams;
    this.#clock = clock;
    this.#interactive = streams.input.isTTY === true && streams.output.isTTY === true;
    this.#lastCame = clock.monotonic();
  }

  /** A line about the conversation, on stderr. */
  say(text: string): void {
    this.#print(this.#streams.errors, printable(text));
  }

  /** Shows a message that came. */
  message(from: string, contentType: string, body: Buffer): void {
    this.#lastCame = this.#clock.monotonic();
    const { output } = this.#streams;
    if (!/^text\//i.test(contentType)) {
      this.#print(output, printable(`[${contentType}, ${body.length} bytes, from ${from}]`));
      return;
    }
    const text = body.toString('utf8');
    if (!this.#shown.delete(text.replace(/^\*\*\* /, ''))) this.#print(output, printable(text, '\n\t'));
  }

  /** Says why a request failed. @param where the server, for people */
  failure({ status, reason }: RequestFailure, where: string): void {
    if (status === undefined) {
      this.say(`! No answer from ${where}: ${reason}`);
      return;
    }
    this.#shown.add(reason);
    this.say(`! ${reason} (${status})`);
  }

  /**
   * What is typed, line by line, until Ctrl-D, Ctrl-C or the end of the pipe. On a terminal there is a prompt, and Tab
   * completes commands that begin with `startChar`.
   */
  async *lines({ prompt, greeting, startChar }: Prompting): AsyncGenerator<string> {
    const { input, output } = this.#streams;
    const reader = createInterface({
      input,
      output,
      terminal: this.#interactive,
      prompt,
      completer: (line: string) => {
        const { typed, candidates } = completeCommand(line, startChar);
        return [[...candidates], typed];
      },
    });
    reader.on('close', () => {
      this.#prompted = undefined;
    });
    reader.on('SIGINT', () => reader.close());
    if (this.#interactive) {
      this.#prompted = reader;
      this.say(greeting);
    }
    try {
      for await (const line of reader) {
        yield line;
        this.#prompted?.prompt();
      }
    } finally {
      reader.close();
    }
  }

  /** After the last line. What a pipe's last lines led to (`#list`) comes after their answers: it is waited for. */
  leave(): Promise<void> {
    if (!this.#interactive) return this.#quiet();
    this.#streams.output.write('\n');
    return Promise.resolve();
  }

  #quiet(): Promise<void> {
    const clock = this.#clock;
    const from = clock.monotonic();
    return new Promise((done) => {
      const look = (): void => {
        const now = clock.monotonic();
        const since = now - Math.max(from, this.#lastCame);
        if (since >= quietMs || now - from >= quietAtMostMs) done();
        else clock.after(quietMs - since, look);
      };
      look();
    });
  }

  /** The prompt and what is being typed give way, and are shown again below. */
  #print(to: NodeJS.WritableStream, text: string): void {
    if (this.#interactive) this.#streams.output.write('\r\x1b[K');
    to.write(`${text}\n`);
    this.#prompted?.prompt(true);
  }
}
