import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ServerOptions, withServer } from './server.ts';

export type ServerSettings = Omit<ServerOptions, 'outboundProxy'>;

/** Where imc_load receives all members' copies. */
const proxy = '127.0.0.1:5099';

/**
 * Starts a server and lets imc_load at it: its C source, which is compiled, or the program. Resolves with the JSON that it prints.
 *
 * @param phases its options besides `--target`, `--local` and `--cpu-pid`
 */
export const runImcLoad = async (
  path: string,
  settings: ServerSettings,
  phases: readonly string[],
): Promise<object> => {
  const folder = mkdtempSync(join(tmpdir(), 'imcd-load-'));
  try {
    const program = path.endsWith('.c') ? join(folder, 'imc_load') : path;
    if (program !== path) {
      const compiled = spawnSync('cc', ['-O2', '-o', program, path], { encoding: 'utf8' });
      if (compiled.status !== 0) throw new Error(`${path} does not compile: ${compiled.stderr}`);
    }
    return await withServer({ ...settings, outboundProxy: `sip:${proxy}` }, ({ sipPort, pid }) => {
      const at = ['--target', `127.0.0.1:${sipPort}`, '--local', proxy, '--cpu-pid', String(pid)];
      const command = [program, ...at, ...phases];
      return outputOf(settings.processor === undefined ? command : ['taskset', '-c', '1', ...command]);
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
};

const outputOf = ([program = '', ...args]: readonly string[]): Promise<object> =>
  new Promise((resolve, reject) => {
    const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    let output = '';
    child.stdout.on('data', (chunk: Buffer) => {
      output += chunk.toString();
    });
    child.on('error', reject);
    child.on('exit', (code) => {
      if (code === 0) resolve(JSON.parse(output));
      else reject(new Error(`${program} ended with ${code}`));
    });
  });
