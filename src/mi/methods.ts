import * as TE from 'fp-ts/lib/TaskEither.js';
import { coreSpellings, type Method } from './method.ts';
import { destroyRoom, removeMember, setTopic } from './methods/commands.ts';
import { bindings, logLevel, mirrorStatus, ps, pwd, serverVersion, storeStatus, uptime } from './methods/core.ts';
import { roomHistory, roomState, userHistory } from './methods/history.ts';
import { listMembers, listRooms } from './methods/rooms.ts';
import { getStatistics, listStatistics, resetStatistics } from './methods/statistics.ts';
import type { RpcError } from './rpc.ts';

/** opensips-cli calls this first, and refuses a name that is not in the answer: so every spelling is. */
const which: Method = {
  spellings: coreSpellings('which'),
  summary: 'the names of all methods, every spelling; of one method the sets of parameters that it takes',
  params: [{ name: 'command', optional: true, meaning: 'a method, in any spelling' }],
  result: {
    type: 'array',
    items: { anyOf: [{ type: 'string' }, { type: 'array', items: { type: 'string' } }] },
  },
  run: (_ports, { command }) => {
    if (command === undefined) return TE.right([...bySpelling.keys()]);
    const method = methodNamed(command);
    if (method === undefined) return TE.left(noSuchMethod);
    const least = method.params.filter(({ optional }) => !optional).map(({ name }) => name);
    const all = method.params.map(({ name }) => name);
    return TE.right(least.length === all.length ? [all] : [least, all]);
  },
};

const noSuchMethod: RpcError = { code: 404, message: 'no such method: which lists them' };

const help: Method = {
  spellings: coreSpellings('help'),
  summary: 'what a method does, and its parameters; without a name: all methods',
  params: [{ name: 'mi_cmd', optional: true, meaning: 'a method, in any spelling' }],
  result: { type: 'object' },
  run: (_ports, { mi_cmd }) => {
    if (mi_cmd === undefined) {
      return TE.right({
        Methods: Object.fromEntries(methods.map(({ spellings, summary }) => [spellings[0], summary])),
      });
    }
    const method = methodNamed(mi_cmd);
    if (method === undefined) return TE.left(noSuchMethod);
    const params = method.params.map(
      ({ name, optional, meaning }) => `${name}${optional ? ' (optional)' : ''}: ${meaning}`,
    );
    return TE.right({ Help: method.summary, Params: params, Spellings: method.spellings });
  },
};

/** Every method, in the order of the reference. */
export const methods: readonly Method[] = [
  listRooms,
  listMembers,
  roomHistory,
  userHistory,
  roomState,
  bindings,
  destroyRoom,
  removeMember,
  setTopic,
  storeStatus,
  mirrorStatus,
  getStatistics,
  listStatistics,
  resetStatistics,
  which,
  help,
  serverVersion,
  uptime,
  ps,
  pwd,
  logLevel,
];

const bySpelling: ReadonlyMap<unknown, Method> = new Map(
  methods.flatMap((method) => method.spellings.map((spelling) => [spelling, method] as const)),
);

/** A method by any of its names. */
export const methodNamed = (name: unknown): Method | undefined => bySpelling.get(name);
