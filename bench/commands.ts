import { parseArgs } from 'node:util';
import { runImcLoad, type ServerSettings } from './support/imc-load.ts';
import { bindLoad } from './support/load.ts';
import { usageOf } from './support/process.ts';
import { withServer } from './support/server.ts';

/**
 * `npm run bench -- commands`: durable commands, joins and exits in turn, each an event that is fsynced before its answer.
 *
 *   --pairs 20000 --window 64 --rooms 64    commands under way at a time, over so many rooms
 *   --load PATH     use imc_load (its C source or the program) instead of the generator in this folder
 *   --store sqlite|memory
 *   --profile DIR   a CPU profile of the server
 */
export const run = async (args: readonly string[]): Promise<unknown> => {
  const { values } = parseArgs({
    args: [...args],
    options: {
      pairs: { type: 'string', default: '20000' },
      window: { type: 'string', default: '64' },
      rooms: { type: 'string', default: '64' },
      load: { type: 'string', default: process.env.IMC_LOAD ?? '' },
      store: { type: 'string', default: 'sqlite' },
      pin: { type: 'boolean', default: false },
      profile: { type: 'string', default: '' },
    },
  });
  const size = { pairs: Number(values.pairs), window: Number(values.window), rooms: Number(values.rooms) };
  const server: ServerSettings = {
    domain: 'imc.test',
    store: values.store === 'memory' ? 'memory' : 'sqlite',
    nodeFlags: values.profile === '' ? [] : ['--cpu-prof', `--cpu-prof-dir=${values.profile}`],
    ...(values.pin ? { processor: 0 } : {}),
  };
  const result = values.load === '' ? await byOwnLoad(size, server) : await byImcLoad(values.load, size, server);
  return { ...size, store: server.store, load: values.load === '' ? 'own' : 'imc_load', ...result };
};

interface Size {
  readonly pairs: number;
  readonly window: number;
  readonly rooms: number;
}

const byImcLoad = (path: string, { pairs, window, rooms }: Size, settings: ServerSettings): Promise<object> =>
  runImcLoad(path, settings, ['--cmds', String(pairs), '--cmd-window', String(window), '--cmd-rooms', String(rooms)]);

const byOwnLoad = async ({ pairs, window, rooms }: Size, settings: ServerSettings): Promise<object> => {
  const { domain } = settings;
  const bound = await bindLoad({ domain, rooms, members: 1, bodyBytes: 100, window });
  return withServer({ ...settings, outboundProxy: `sip:127.0.0.1:${bound.port}` }, async ({ sipPort, pid }) => {
    const load = bound.start(sipPort);
    try {
      await load.setUp();
      await load.commands(Math.ceil(pairs / 10), window); // warm-up
      const before = usageOf(pid);
      const result = await load.commands(pairs, window);
      const after = usageOf(pid);
      const micros = ((after.cpuSeconds - before.cpuSeconds) * 1e6) / result.commands;
      return { ...result, cpuMicrosecondsPerCommand: Number(micros.toFixed(1)), residentMb: after.residentMb };
    } finally {
      load.close();
    }
  });
};
