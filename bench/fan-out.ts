import { parseArgs } from 'node:util';
import { runImcLoad, type ServerSettings } from './support/imc-load.ts';
import { bindLoad } from './support/load.ts';
import { usageOf } from './support/process.ts';
import { withServer } from './support/server.ts';

/**
 * `npm run bench -- fan-out`: chat messages in rooms, each copy through one outbound proxy, each copy answered. Measures what
 * a copy costs the server in CPU time, its answer included, and how many a second arrive.
 *
 *   --rooms 10 --members 100 --messages 1000 --repeat 3 --window 4 --body 100
 *   --load PATH     use imc_load (its C source or the program) instead of the generator in this folder, which at some
 *                   40,000 copies a second is slower than the server
 *   --store sqlite|memory
 *   --pin           server on processor 0, load on processor 1 (taskset)
 *   --profile DIR   a CPU profile of the server
 *   --node FLAG     a flag for the server's node, for example --node=--max-semi-space-size=8; may be repeated
 */
export const run = async (args: readonly string[]): Promise<unknown> => {
  const { values } = parseArgs({
    args: [...args],
    options: {
      rooms: { type: 'string', default: '10' },
      members: { type: 'string', default: '100' },
      messages: { type: 'string', default: '1000' },
      repeat: { type: 'string', default: '3' },
      window: { type: 'string', default: '4' },
      body: { type: 'string', default: '100' },
      load: { type: 'string', default: process.env.IMC_LOAD ?? '' },
      store: { type: 'string', default: 'sqlite' },
      pin: { type: 'boolean', default: false },
      profile: { type: 'string', default: '' },
      node: { type: 'string', multiple: true, default: [] },
    },
  });
  const size: Size = {
    rooms: Number(values.rooms),
    members: Number(values.members),
    messages: Number(values.messages),
    repeat: Number(values.repeat),
    window: Number(values.window),
    bodyBytes: Number(values.body),
  };
  const server: ServerSettings = {
    domain: 'imc.test',
    store: values.store === 'memory' ? 'memory' : 'sqlite',
    nodeFlags: [...values.node, ...(values.profile === '' ? [] : ['--cpu-prof', `--cpu-prof-dir=${values.profile}`])],
    ...(values.pin ? { processor: 0 } : {}),
  };
  const runs = values.load === '' ? await byOwnLoad(size, server) : await byImcLoad(values.load, size, server);
  return { ...size, store: server.store, load: values.load === '' ? 'own' : 'imc_load', ...runs };
};

interface Size {
  readonly rooms: number;
  readonly members: number;
  readonly messages: number;
  readonly repeat: number;
  readonly window: number;
  readonly bodyBytes: number;
}

const byOwnLoad = async (size: Size, settings: ServerSettings): Promise<object> => {
  const { domain } = settings;
  const bound = await bindLoad({ ...size, domain });
  return withServer({ ...settings, outboundProxy: `sip:127.0.0.1:${bound.port}` }, async (server) => {
    const load = bound.start(server.sipPort);
    try {
      await load.setUp();
      await load.chat(Math.ceil(size.messages / 5)); // warm-up
      const runs: object[] = [];
      for (let i = 0; i < size.repeat; i += 1) {
        const before = usageOf(server.pid);
        const result = await load.chat(size.messages);
        const after = usageOf(server.pid);
        const micros = ((after.cpuSeconds - before.cpuSeconds) * 1e6) / result.copies;
        runs.push({ ...result, cpuMicrosecondsPerCopy: Number(micros.toFixed(2)), residentMb: after.residentMb });
      }
      return { runs };
    } finally {
      load.close();
    }
  });
};

/** imc_load prints its own JSON, with the server's CPU time and memory in it. */
const byImcLoad = (path: string, size: Size, settings: ServerSettings): Promise<object> =>
  runImcLoad(path, settings, [
    ...['--rooms', String(size.rooms), '--members', String(size.members), '--body-len', String(size.bodyBytes)],
    ...['--setup', '--warmup', String(Math.ceil(size.messages / 5)), '--msgs', String(size.messages)],
    ...['--repeat', String(size.repeat), '--window', String(size.window)],
  ]);
