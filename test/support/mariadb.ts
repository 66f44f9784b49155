import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import mysql from 'mysql2/promise';
import { pathOf } from './component.ts';
import { type DatabaseServer, freePort } from './database-server.ts';
import { untilItAnswers } from './until.ts';

/**
 * Starts MariaDB as Debian ships it. `durable` (default) flushes at every commit, as an operator's server does.
 * Throws with the end of the server's log where it does not come up.
 */
export const startMariadb = async (options: { readonly args?: readonly string[] } = {}): Promise<DatabaseServer> => {
  const [program, install] = [pathOf('mariadbd'), pathOf('mariadb-install-db')];
  if (program === undefined || install === undefined) throw new Error('mariadbd is not installed');
  const folder = mkdtempSync(join(tmpdir(), 'imcd-mariadb-'));
  const data = join(folder, 'data');
  const user = `--user=${userInfo().username}`;
  const made = spawnSync(
    install,
    [
      ...['--no-defaults', user, `--datadir=${data}`, '--auth-root-authentication-method=normal', '--skip-test-db'],
      `--tmpdir=${folder}`, // in a shared one two servers that start at once take each other's tables
    ],
    { encoding: 'utf8' },
  );
  if (made.status !== 0) throw new Error(`mariadb-install-db: ${made.stdout}${made.stderr}`);
  const port = await freePort();
  const socket = join(folder, 'sock');
  const logFile = join(folder, 'log');
  let child: ChildProcess | undefined;

  const start = async (): Promise<void> => {
    const log = openSync(logFile, 'a');
    const started = spawn(
      program,
      [
        '--no-defaults',
        user,
        `--datadir=${data}`,
        `--tmpdir=${folder}`,
        `--socket=${socket}`,
        `--port=${port}`,
        '--bind-address=127.0.0.1',
        '--innodb-buffer-pool-size=128M',
        '--innodb-log-file-size=64M',
        '--skip-name-resolve',
        `--pid-file=${join(folder, 'pid')}`,
        ...(options.args ?? []),
      ],
      { stdio: ['ignore', log, log] },
    );
    child = started;
    await untilItAnswers(async () => {
      if (started.exitCode !== null) throw new Error(`mariadbd ended: ${readFileSync(logFile, 'utf8').slice(-2000)}`);
      const connection = await mysql.createConnection({ user: 'root', socketPath: socket });
      await connection.query("CREATE USER IF NOT EXISTS 'imcd'@'127.0.0.1' IDENTIFIED BY 'secret-of-the-test'");
      await connection.query("GRANT ALL ON *.* TO 'imcd'@'127.0.0.1'");
      await connection.end();
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
      const connection = await mysql.createConnection({ user: 'root', socketPath: socket });
      await connection.query(`CREATE DATABASE imcd${databases}`);
      await connection.end();
      return `mysql://imcd:secret-of-the-test@127.0.0.1:${port}/imcd${databases}`;
    },
    kill: () => end('SIGKILL'),
    restart: start,
    freeze: (frozen) => child?.kill(frozen ? 'SIGSTOP' : 'SIGCONT'),
    stop: async () => {
      await end('SIGKILL');
      rmSync(folder, { recursive: true, force: true });
    },
  };
};
