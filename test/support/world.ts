import type { Courier, Outgoing } from '../../src/ports/courier.ts';
import type { Ids } from '../../src/ports/ids.ts';
import type { Log } from '../../src/ports/log.ts';
import type { MemberUri } from '../../src/room/address.ts';

/** What the inside asks of the world, in the test's hand; the time is in `fake-clock.ts`. */

/** Ids in the order of their making: `00000000-0000-4000-8000-000000000001`, `token1`, ... */
export const countingIds = (): Ids => {
  let serial = 0;
  const next = (): number => {
    serial += 1;
    return serial;
  };
  return {
    uuid: () => `00000000-0000-4000-8000-${String(next()).padStart(12, '0')}`,
    token: () => `token${next()}`,
    chance: () => 0.5,
  };
};

export interface RecordedLine {
  readonly level: string;
  readonly fields: Readonly<Record<string, unknown>>;
  readonly message: string;
}

export interface RecordedLog extends Log {
  readonly lines: RecordedLine[];
}

/** A log that keeps what it is told. */

export const recordingLog = (): RecordedLog => {
  const lines: RecordedLog['lines'] = [];
  const at = (level: string) => (fields: Readonly<Record<string, unknown>>, message: string) =>
    void lines.push({ level, fields, message });
  return { lines, debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
};

/** Whom a message is for, with the one that is left out. */
export const recipientsIn = ({ recipients }: Outgoing): readonly MemberUri[] =>
  'uris' in recipients ? recipients.uris : recipients;

/** A log that nobody reads. */
export const quiet: Log = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

export interface RecordedCourier extends Courier {
  readonly sent: Outgoing[];
  /** What was sent, as `recipient: text`, in order. */
  readonly texts: () => readonly string[];
}

/** A courier that keeps what it is given, and hands over at once unless told otherwise. */
export const recordingCourier = (handOver = true): RecordedCourier => {
  const sent: Outgoing[] = [];
  return {
    sent,
    send: (message) => {
      sent.push(message);
      if (handOver) message.onHandedOver?.();
    },
    texts: () =>
      sent.flatMap((message) =>
        recipientsIn(message)
          .filter((uri) => uri !== message.except)
          .map((uri) => `${uri.slice(4, uri.indexOf('@'))}: ${Buffer.from(message.body).toString()}`),
      ),
  };
};
