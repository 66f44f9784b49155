import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, copyFileSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { pathOf } from './component.ts';
import { type DatabaseServer, freePort } from './database-server.ts';
import { untilItAnswers } from './until.ts';

/** The server refuses to run as root: as Debian's user `postgres` then, in the same process (setpriv replaces itself). */
const asPostgres = (program: string, args: readonly string[]): readonly [string, readonly string[]] =>
  process.getuid?.() === 0
    ? ['setpriv', ['--reuid=postgres', '--regid=postgres', '--clear-groups', program, ...args]]
    : [program, args];

/** Starts PostgreSQL as Debian ships it, with `tls` (files) also encrypted. Throws with the end of the server's log where it does not come up. */
export const startPostgres = async (tls?: { readonly cert: string; readonly key: string }): Promise<DatabaseServer> => {
  const [program, initdb] = [pathOf('postgres'), pathOf('initdb')];
  if (program === undefined || initdb === undefined) throw new Error('postgres is not installed');
  const folder = mkdtempSync(join(tmpdir(), 'imcd-postgres-'));
  if (process.getuid?.() === 0) spawnSync('chown', ['postgres', folder]);
  chmodSync(folder, 0o755);
  const data = join(folder, 'data');
  const make = asPostgres(initdb, ['-D', data, '-A', 'trust', '-U', 'imcd', '-E', 'UTF8', '--no-sync']);
  const made = spawnSync(make[0], [...make[1]], { encoding: 'utf8', cwd: folder });
  if (made.status !== 0) throw new Error(`initdb: ${made.stdout}${made.stderr}`);
  const encrypted: string[] = [];
  for (const [name, file] of Object.entries(tls ?? {})) {
    // The server takes a key only from its own user, closed to others.
    const own = join(folder, `${name}.pem`);
    copyFileSync(file, own);
    chmodSync(own, 0o600);
    if (process.getuid?.() === 0) spawnSync('chown', ['postgres', own]);
    encrypted.push('-c', `ssl_${name}_file=${own}`);
  }
  if (tls !== undefined) encrypted.push('-c', 'ssl=on');
  const port = await freePort();
  const logFile = join(folder, 'log');
  // By the socket in its own folder: what answers there is this server, and no other one's.
  const admin = { host: folder, port, user: 'imcd', database: 'postgres' };
  let child: ChildProcess | undefined;

  const start = async (): Promise<void> => {
    await untilItAnswers(async () => {
      const log = openSync(logFile, 'a');
      const command = asPostgres(program, ['-D', data, '-p', `${port}`, '-h', '127.0.0.1', '-k', folder, ...encrypted]);
      const started = spawn(command[0], [...command[1]], { stdio: ['ignore', log, log], cwd: folder });
      child = started;
      // After a kill the old server's children need a moment to see that it is gone: until then a new one ends at once.
      await untilItAnswers(async () => {
        if (started.exitCode !== null) return;
        const client = new pg.Client(admin);
        await client.connect();
        await client.end();
      });
      if (started.exitCode !== null) throw new Error(`postgres ended: ${readFileSync(logFile, 'utf8').slice(-2000)}`);
    });
  };
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    child.kill('SIGCONT');
    child.kill(signal);
    await once(child, 'exit');
  };

  await start();
  let databases = 0;
  return {
    newDatabase: async () => {
      databases += 1;
      const client = new pg.Client(admin);
      await client.connect();
      await client.query(`CREATE DATABASE imcd${databases}`);
      await client.end();
      return `postgres://imcd:secret-of-the-test@127.0.0.1:${port}/imcd${databases}`;
    },
    kill: () => end('SIGKILL'),
    restart: start,
    freeze: (frozen) => {
      const pid = child?.pid;
      if (pid === undefined) return;
      // Each connection has a process of its own, a child of the server.
      const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(/\s+/).map(Number);
      for (const one of [pid, ...children]) process.kill(one, frozen ? 'SIGSTOP' : 'SIGCONT');
    },
    stop: async () => {
      await end('SIGINT');
      rmSync(folder, { recursive: true, force: true });
    },
  };
};
