import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import type { LogLevel } from '../../ports/log.ts';
import { type MemberKey, memberKey } from '../../room/address.ts';
import { eventTime } from '../../room/time.ts';
import { givenUser, userParam } from '../arguments.ts';
import { longList } from '../encode.ts';
import { type Arguments, coreSpellings, imcSpellings, type Method } from '../method.ts';
import type { Contact, MiPorts } from '../ports.ts';
import type { RpcError } from '../rpc.ts';

/** `Mon Nov 23 06:30:00 2026`, as C's ctime writes it: what users of opensips-cli see. In UTC. */
const ctime = (ms: number): string => {
  const [day = '', date = '', month = '', year = '', time = ''] = new Date(ms)
    .toUTCString()
    .replace(',', '')
    .split(' ');
  return `${day} ${month} ${date} ${time} ${year}`;
};

const open = { type: 'object' };

export const serverVersion: Method = {
  spellings: coreSpellings('version'),
  summary: 'name and version of this server',
  params: [],
  result: { type: 'object', required: ['Server'], properties: { Server: { type: 'string' } } },
  run: ({ version }) => TE.right({ Server: `imcd (${version} (${process.arch}/${process.platform}))` }),
};

export const uptime: Method = {
  spellings: coreSpellings('uptime'),
  summary: 'the time now, when the server started, and how long ago that is',
  params: [],
  result: {
    type: 'object',
    required: ['Now', 'Up since', 'Up time'],
    properties: { Now: { type: 'string' }, 'Up since': { type: 'string' }, 'Up time': { type: 'string' } },
  },
  run: ({ clock, startedAt }) => {
    const now = clock.now();
    const seconds = Math.floor((now - startedAt) / 1000);
    return TE.right({ Now: ctime(now), 'Up since': ctime(startedAt), 'Up time': `${seconds} [sec]` });
  },
};

export const ps: Method = {
  spellings: coreSpellings('ps'),
  summary: 'the processes: imcd is one',
  params: [],
  result: { type: 'object', required: ['Processes'], properties: { Processes: { type: 'array', items: open } } },
  run: () => TE.right({ Processes: [{ ID: 0, PID: process.pid, Type: 'imcd' }] }),
};

export const pwd: Method = {
  spellings: coreSpellings('pwd'),
  summary: 'the working directory',
  params: [],
  result: { type: 'object', required: ['WD'], properties: { WD: { type: 'string' } } },
  run: () => TE.right({ WD: process.cwd() }),
};

/** OpenSIPS' numbers: -3 alert, -2 critical, -1 error, 1 warning, 2 notice, 3 info, 4 debug. */
const levelOf = (value: unknown): LogLevel | undefined => {
  const names: readonly LogLevel[] = ['debug', 'info', 'warn', 'error'];
  const named = names.find((name) => name === value);
  const text = String(value);
  if (named !== undefined || !/^-?\d$/.test(text)) return named;
  const number = Number(text);
  return number < 1 ? 'error' : number === 1 ? 'warn' : number < 4 ? 'info' : 'debug';
};

const noLevel: RpcError = {
  code: 400,
  message: "bad param: level is debug, info, warn or error, or OpenSIPS' -3 to 4",
};

export const logLevel: Method = {
  spellings: coreSpellings('log_level'),
  summary: 'show the log level, or set it until the next start or reload',
  params: [
    {
      name: 'level',
      optional: true,
      meaning: "debug, info, warn or error, or OpenSIPS' -3 to 4",
      schema: { type: ['string', 'integer'] },
    },
  ],
  changes: true,
  result: open,
  run: ({ log }, { level }) => {
    if (level === undefined) return TE.right({ 'Log level': log.level() });
    const wanted = levelOf(level);
    if (wanted === undefined) return TE.left(noLevel);
    log.setLevel(wanted);
    return TE.right({ 'New global log level': wanted });
  },
};

export const storeStatus: Method = {
  spellings: imcSpellings('store_status'),
  summary: 'the log: where it is, whether it can be reached, how far behind the rooms are',
  params: [],
  result: open,
  run: ({ storeStatus }) => TE.right(storeStatus()),
};

export const mirrorStatus: Method = {
  spellings: imcSpellings('mirror_status'),
  summary: 'the SQL mirror: where it is, how far behind it is, why it stopped',
  params: [],
  result: open,
  run: ({ mirrorStatus }) => TE.right(mirrorStatus()),
};

function* rows(all: Iterable<Contact>): Generator<unknown> {
  for (const { user, contact, expires, source } of all) {
    yield { AOR: user, Contact: contact, Expires: eventTime(expires), Source: source };
  }
}

/** Undefined: everybody's. */
const whose = (ports: MiPorts, given: Arguments): E.Either<RpcError, MemberKey | undefined> =>
  given.user === undefined ? E.right(undefined) : pipe(givenUser(ports, given, 'user'), E.map(memberKey));

export const bindings: Method = {
  spellings: imcSpellings('bindings'),
  summary: 'registrations on this node: of one user, or of all',
  params: [{ ...userParam, optional: true }],
  result: { type: 'object', required: ['BINDINGS'], properties: { BINDINGS: { type: 'array', items: open } } },
  run: (ports, given) =>
    pipe(
      whose(ports, given),
      E.map((user) => ({ BINDINGS: longList(rows(ports.bindings(user))) })),
      TE.fromEither,
    ),
};
