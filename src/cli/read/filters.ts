import { sequenceS } from 'fp-ts/lib/Apply.js';
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import { type Config, homeDomain } from '../../config/config.ts';
import { suggestion } from '../../config/problems.ts';
import type { EventStore, Position, StoredEvent } from '../../ports/event-store.ts';
import { type MemberKey, memberKey, type RoomKey, type RoomUri, roomKey } from '../../room/address.ts';
import { roomEvents } from '../../room/events.ts';
import { parseMember, parseRoom } from '../../room/parse-address.ts';
import { reasonOf } from '../../room/texts.ts';
import { type CliError, type CliTask, wrongUsage } from '../cli-error.ts';
import type { Invocation, OptionValue } from '../invocation.ts';
import { printable } from '../terminal/show.ts';
import { localTime, readTime } from '../terminal/times.ts';

/** Arguments of the commands that read the log. A Left is wrong usage: what was found, and what is possible. */

type Parsed<A> = E.Either<CliError, A>;

/** An argument that need not be given. */
export const optional =
  <A>(parse: (text: string) => Parsed<A>) =>
  (given: OptionValue): Parsed<A | undefined> =>
    given === undefined ? E.right(undefined) : parse(String(given));

export interface NamedRoom {
  readonly uri: RoomUri;
  readonly key: RoomKey;
}

export const roomArgument =
  (config: Config) =>
  (text: string): Parsed<NamedRoom> =>
    pipe(
      parseRoom(text, homeDomain(config)),
      E.bimap(
        (refusal) => wrongUsage(`${shown(text)} is no room: ${reasonOf(refusal, config.imc_cmd_start_char)}`),
        (uri) => ({ uri, key: roomKey(uri) }),
      ),
    );

export const userArgument =
  (config: Config) =>
  (text: string): Parsed<MemberKey> =>
    pipe(
      parseMember(text, homeDomain(config)),
      E.bimap(
        (refusal) => wrongUsage(`${shown(text)} is no user: ${reasonOf(refusal, config.imc_cmd_start_char)}`),
        ({ uri }) => memberKey(uri),
      ),
    );

export const numberArgument =
  (name: string) =>
  (text: string): Parsed<bigint> =>
    /^\d{1,15}$/.test(text)
      ? E.right(BigInt(text))
      : E.left(wrongUsage(`--${name}: found ${shown(text)}; allowed is a whole number, 0 or more`));

/**
 * A time, in UTC as events have it; says what vague words were taken for.
 * @param end a day alone means its end
 */
export const timeArgument = ({ options, err }: Invocation, name: string, end = false): CliTask<string | undefined> => {
  const given = options[name];
  if (given === undefined) return TE.right(undefined);
  return pipe(
    () => readTime(String(given), Date.now(), end),
    TE.mapLeft((why) => wrongUsage(`--${name}: ${printable(why)}`)),
    TE.map(({ utc, vague }) => {
      if (vague) err(`--${name} ${printable(String(given))}: ${localTime(utc)}`);
      return utc;
    }),
  );
};

/** A position is the store's own text: one that another position cannot be compared with is not one of this log. */
export const positionArgument =
  (store: EventStore, name: string) =>
  (text: string): Parsed<Position> =>
    isPosition(store, text)
      ? E.right(text)
      : E.left(wrongUsage(`--${name}: ${shown(text)} is no position of this log; history --json shows them`));

const isPosition = (store: EventStore, text: string): text is Position => {
  try {
    return store.comparePositions(text as Position, text as Position) === 0;
  } catch {
    return false;
  }
};

/** Which events are meant by `--since`, `--until`, `--type`, `--actor` and `--from`. */
export interface EventFilter {
  /** The lowest revision that is meant. */
  readonly from: bigint | undefined;
  readonly matches: (event: StoredEvent) => boolean;
}

export const eventFilter = (invocation: Invocation, config: Config): CliTask<EventFilter> => {
  const { options } = invocation;
  return pipe(
    sequenceS(TE.ApplySeq)({
      since: timeArgument(invocation, 'since'),
      until: timeArgument(invocation, 'until', true),
      from: TE.fromEither(optional(numberArgument('from'))(options.from)),
      types: TE.fromEither(optional(eventTypes)(options.type)),
      actor: TE.fromEither(optional(actorArgument(config))(options.actor)),
    }),
    TE.map(({ since, until, from, types, actor }) => ({
      from,
      matches: (event) =>
        (since === undefined || event.time >= since) &&
        (until === undefined || event.time <= until) &&
        (from === undefined || event.revision >= from) &&
        (types === undefined || types.has(event.type)) &&
        (actor === undefined || actorKey(event) === actor),
    })),
  );
};

const eventTypes = (given: string): Parsed<ReadonlySet<string>> => {
  const names = Object.keys(roomEvents);
  const asked = given.split(',').map((name) => name.trim());
  const wrong = asked.find((name) => !names.includes(name));
  return wrong === undefined
    ? E.right(new Set(asked))
    : E.left(wrongUsage(`--type: ${shown(wrong)} is no event; ${suggestion(wrong, names)}`));
};

const actorArgument =
  (config: Config) =>
  (text: string): Parsed<string> =>
    text.startsWith('operator:') ? E.right(text.toLowerCase()) : userArgument(config)(text);

const actorKey = ({ metadata }: StoredEvent): string => {
  if (typeof metadata !== 'object' || metadata === null || !('actor' in metadata)) return '';
  return String(metadata.actor).toLowerCase().replace(/^sip:/, '');
};

const shown = (text: string): string => printable(JSON.stringify(text));
