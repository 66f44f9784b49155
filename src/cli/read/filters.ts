import * as E from 'fp-ts/lib/Either.js';
import type { Config } from '../../config/config.ts';
import { suggestion } from '../../config/problems.ts';
import type { EventStore, Position, StoredEvent } from '../../ports/event-store.ts';
import { type MemberKey, memberKey, type RoomKey, type RoomUri, roomKey } from '../../room/address.ts';
import { roomEvents } from '../../room/events.ts';
import { parseMember, parseRoom } from '../../room/parse-address.ts';
import { reasonOf } from '../../room/texts.ts';
import { CliError, type Invocation } from '../invocation.ts';
import { printable } from '../terminal/show.ts';
import { localTime, readTime } from '../terminal/times.ts';

/** Arguments of the commands that read the log. All throw `CliError`, code 2, with what is wrong and what is possible. */

export const roomArgument = (config: Config, text: string): { readonly uri: RoomUri; readonly key: RoomKey } => {
  const room = parseRoom(text, config.domains[0] ?? 'localhost');
  if (E.isRight(room)) return { uri: room.right, key: roomKey(room.right) };
  throw new CliError(
    `${printable(JSON.stringify(text))} is no room: ${reasonOf(room.left, config.imc_cmd_start_char)}`,
    2,
  );
};

export const userArgument = (config: Config, text: string): MemberKey => {
  const user = parseMember(text, config.domains[0] ?? 'localhost');
  if (E.isRight(user)) return memberKey(user.right.uri);
  throw new CliError(
    `${printable(JSON.stringify(text))} is no user: ${reasonOf(user.left, config.imc_cmd_start_char)}`,
    2,
  );
};

export const numberArgument = (name: string, text: string | true | undefined): bigint | undefined => {
  if (text === undefined) return undefined;
  if (typeof text === 'string' && /^\d{1,15}$/.test(text)) return BigInt(text);
  throw new CliError(`--${name}: found ${printable(JSON.stringify(text))}; allowed is a whole number, 0 or more`, 2);
};

/** @param end a day alone means its end */
export const timeArgument = async (
  { options, err }: Invocation,
  name: string,
  end = false,
): Promise<string | undefined> => {
  const given = options[name];
  if (given === undefined) return undefined;
  const time = await readTime(String(given), Date.now(), end);
  if (E.isLeft(time)) throw new CliError(`--${name}: ${printable(time.left)}`, 2);
  if (time.right.vague) err(`--${name} ${printable(String(given))}: ${localTime(time.right.utc)}`);
  return time.right.utc;
};

/** A position is the store's own text: one that another position cannot be compared with is not one of this log. */
export const positionArgument = (
  store: EventStore,
  name: string,
  text: string | true | undefined,
): Position | undefined => {
  if (text === undefined) return undefined;
  const position = String(text) as Position;
  try {
    if (store.comparePositions(position, position) === 0) return position;
  } catch {
    // not of this store's form: said below
  }
  throw new CliError(
    `--${name}: ${printable(JSON.stringify(text))} is no position of this log; history --json shows them`,
    2,
  );
};

/** `--since`, `--until`, `--type`, `--actor` and `--from`, as one question to an event. */
export const eventFilter = async (invocation: Invocation, config: Config): Promise<(event: StoredEvent) => boolean> => {
  const since = await timeArgument(invocation, 'since');
  const until = await timeArgument(invocation, 'until', true);
  const from = numberArgument('from', invocation.options.from);
  const types = typesOf(invocation.options.type);
  const actor = actorOf(config, invocation.options.actor);
  return (event) =>
    (since === undefined || event.time >= since) &&
    (until === undefined || event.time <= until) &&
    (from === undefined || event.revision >= from) &&
    (types === undefined || types.has(event.type)) &&
    (actor === undefined || actorKey(event) === actor);
};

const typesOf = (given: string | true | undefined): ReadonlySet<string> | undefined => {
  if (given === undefined) return undefined;
  const names = Object.keys(roomEvents);
  const asked = String(given)
    .split(',')
    .map((name) => name.trim());
  const wrong = asked.find((name) => !names.includes(name));
  if (wrong === undefined) return new Set(asked);
  throw new CliError(`--type: ${printable(JSON.stringify(wrong))} is no event; ${suggestion(wrong, names)}`, 2);
};

const actorOf = (config: Config, given: string | true | undefined): string | undefined => {
  if (given === undefined) return undefined;
  const text = String(given);
  return text.startsWith('operator:') ? text.toLowerCase() : userArgument(config, text);
};

const actorKey = ({ metadata }: StoredEvent): string => {
  if (typeof metadata !== 'object' || metadata === null || !('actor' in metadata)) return '';
  return String(metadata.actor).toLowerCase().replace(/^sip:/, '');
};
