import type { DatabaseSync, SQLOutputValue, StatementSync } from 'node:sqlite';
import type { StoredEvent } from '../../ports/event-store.ts';
import { StoreError } from '../../ports/event-store.ts';
import { FileEvent, type Rest } from './event.ts';
import { sqliteFailure } from './failure.ts';

/** Events in a page at most; fewer where they are large, so that a page stays near 1 MB. */
const mostEvents = 1_000;
const wantedBytes = 1_000_000;
/** Stream names kept in memory; others are read. */
const mostNames = 100_000;

const columns = 'position, stream, revision, type, time, version, data';
/** With the rest of the event, or with its weight alone: a replay asks for no more, and is a third faster for it. */
const whole = `${columns}, id, metadata`;
const light = `${columns}, octet_length(metadata)`;

type Row = readonly SQLOutputValue[];

const numberIn = (row: Row, column: number): number => {
  const value = row[column];
  if (typeof value !== 'number') throw new Error(`column ${column} of the log holds ${typeof value}, not a number`);
  return value;
};
const textIn = (row: Row, column: number): string => {
  const value = row[column];
  if (typeof value !== 'string') throw new Error(`column ${column} of the log holds ${typeof value}, not text`);
  return value;
};

/** How many events the next page asks for: grows and shrinks with what they weigh. */
const createPace = () => {
  let limit = 64;
  return {
    limit: () => limit,
    took: (events: number, bytes: number): void => {
      const fitting = bytes === 0 ? mostEvents : Math.floor((events * wantedBytes) / bytes);
      limit = Math.max(1, Math.min(mostEvents, fitting, limit * 2));
    },
  };
};
export type Pace = ReturnType<typeof createPace>;

const isRoom = (stream: string): boolean => stream.startsWith('room-');

/**
 * Reads of a log by pages. Every call is one short read transaction, so that no reader holds up a checkpoint for long.
 * All throw what SQLite throws.
 */
export const createReading = (db: DatabaseSync, file: string) => {
  const prepare = (sql: string): StatementSync => {
    const statement = db.prepare(sql);
    statement.setReturnArrays(true);
    return statement;
  };
  const rows = (statement: StatementSync, ...values: (number | string)[]): readonly Row[] => {
    const found: unknown = statement.all(...values);
    return found as readonly Row[];
  };
  const first = (statement: StatementSync, ...values: (number | string)[]): Row | undefined =>
    rows(statement, ...values)[0];

  const all = prepare(`SELECT ${light} FROM event WHERE position > ? AND position <= ? ORDER BY position LIMIT ?`);
  const rest = prepare('SELECT position, id, metadata FROM event WHERE position >= ? AND position <= ?');
  const ofUser = prepare(
    `SELECT ${whole} FROM event WHERE position IN
      (SELECT position FROM touched WHERE user = ? AND position > ? ORDER BY position LIMIT ?) ORDER BY position`,
  );
  const streamId = prepare('SELECT id FROM stream WHERE name = ?');
  const streamName = prepare('SELECT name FROM stream WHERE id = ?');
  const ofTable = (table: string) => ({
    forwards: prepare(`SELECT ${whole} FROM ${table} WHERE stream = ? AND revision >= ? ORDER BY revision LIMIT ?`),
    backwards: prepare(
      `SELECT ${whole} FROM ${table} WHERE stream = ? AND revision <= ? ORDER BY revision DESC LIMIT ?`,
    ),
    last: prepare(`SELECT revision FROM ${table} WHERE stream = ? ORDER BY revision DESC LIMIT 1`),
    end: prepare(`SELECT position FROM ${table} ORDER BY position DESC LIMIT 1`),
  });
  const event = ofTable('event');
  const transcript = ofTable('transcript');
  const from = prepare('SELECT position, time FROM event WHERE position >= ? ORDER BY position LIMIT 1');
  const version = prepare('PRAGMA data_version');

  const names = new Map<number, string>();
  const nameOf = (id: number): string => {
    const known = names.get(id);
    if (known !== undefined) return known;
    const row = first(streamName, id);
    if (row === undefined) throw new Error(`stream ${id} has no name in the log`);
    const name = textIn(row, 0);
    if (names.size >= mostNames) names.clear();
    names.set(id, name);
    return name;
  };

  const eventIn = (row: Row, restOf: (position: number) => Rest): FileEvent => {
    const version = row[5];
    return new FileEvent(
      numberIn(row, 0),
      nameOf(numberIn(row, 1)),
      numberIn(row, 2),
      textIn(row, 3),
      textIn(row, 4),
      typeof version === 'number' ? version : undefined,
      textIn(row, 6),
      restOf,
    );
  };

  /** A page of `whole` rows. */
  const wholePage = (found: readonly Row[], pace: Pace): readonly StoredEvent[] => {
    let bytes = 0;
    const events = found.map((row) => {
      const rest: Rest = { id: textIn(row, 7), metadata: textIn(row, 8) };
      bytes += textIn(row, 6).length + rest.metadata.length;
      return eventIn(row, () => rest);
    });
    pace.took(events.length, bytes);
    return events;
  };

  /** The rest of all events from one position to another, read when it is first asked for. */
  const restBetween = (start: number, end: number): ((position: number) => Rest) => {
    let found: Map<number, Rest> | undefined;
    const read = (): Map<number, Rest> => {
      try {
        const all = rows(rest, start, end);
        return new Map(all.map((row) => [numberIn(row, 0), { id: textIn(row, 1), metadata: textIn(row, 2) }]));
      } catch (cause) {
        throw new StoreError(sqliteFailure(file, 'read the log', cause));
      }
    };
    return (position) => {
      found ??= read();
      const one = found.get(position);
      if (one === undefined) throw new Error(`position ${position} is no longer in the log ${file}`);
      return one;
    };
  };

  /** A page of `light` rows that follow each other in the log. */
  const lightPage = (found: readonly Row[], pace: Pace): readonly StoredEvent[] => {
    const [start, end] = [found[0], found.at(-1)];
    if (start === undefined || end === undefined) return [];
    const restOf = restBetween(numberIn(start, 0), numberIn(end, 0));
    let bytes = 0;
    const events = found.map((row) => {
      bytes += textIn(row, 6).length + numberIn(row, 7);
      return eventIn(row, restOf);
    });
    pace.took(events.length, bytes);
    return events;
  };

  const endOf = (table: typeof event): number => {
    const row = first(table.end);
    return row === undefined ? 0 : numberIn(row, 0);
  };

  return {
    pace: createPace,
    /** Rooms' events after one position and up to another. */
    all: (after: number, until: number, pace: Pace) => lightPage(rows(all, after, until, pace.limit()), pace),
    /** Rooms' events that touch a user. */
    ofUser: (user: string, after: number, pace: Pace) => wholePage(rows(ofUser, user, after, pace.limit()), pace),
    /** A stream's events from a revision on, or back from it. */
    stream: (stream: string, start: number, backwards: boolean, most: number, pace: Pace): readonly StoredEvent[] => {
      const id = first(streamId, stream);
      if (id === undefined) return [];
      const table = isRoom(stream) ? event : transcript;
      const limit = Math.min(most, pace.limit());
      return wholePage(rows(backwards ? table.backwards : table.forwards, numberIn(id, 0), start, limit), pace);
    },
    lastRevision: (stream: string): number | undefined => {
      const id = first(streamId, stream);
      const row = id === undefined ? undefined : first((isRoom(stream) ? event : transcript).last, numberIn(id, 0));
      return row === undefined ? undefined : numberIn(row, 0);
    },
    /** Last position of rooms' events; 0 where there is none. */
    endOfRooms: (): number => endOf(event),
    /** Last position of all; 0 where the log is empty. */
    end: (): number => Math.max(endOf(event), endOf(transcript)),
    /** Position of the last event that was not after a time; 0 where there is none. Times grow with the positions. */
    positionAt: (time: string): number => {
      let low = 0; // not after `time`
      let high = endOf(event) + 1;
      while (high - low > 1) {
        const middle = (low + high) >>> 1;
        const row = first(from, middle);
        if (row === undefined || textIn(row, 1) > time) high = middle;
        else low = numberIn(row, 0);
      }
      return low;
    },
    /** Changes when another connection has committed. */
    version: (): number => {
      const row = first(version);
      return row === undefined ? 0 : numberIn(row, 0);
    },
  };
};
export type Reading = ReturnType<typeof createReading>;
