import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { globSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort } from './database-server.ts';
import type { SipClient } from './sip-client.ts';

/** Debian's Kamailio with its `imc` module over tables in MySQL: over SQLite it loads them too, but dies when it is to write them back. */
export interface KamailioImc {
  /** SIGTERM, and waits for the end: Kamailio then writes its rooms back into the tables. */
  readonly stop: () => Promise<void>;
}

/**
 * Starts it in `folder` on the tables of `database` (a URL, `mysql://...`), copies going to `users`, who ask it from then on. Domain `imc.test`. Resolves when it answers;
 * throws with the end of its log where it does not.
 */
export const startKamailioImc = async (folder: string, database: string, users: SipClient): Promise<KamailioImc> => {
  const [module] = globSync('/usr/lib/{*,.}/kamailio/modules/imc.so');
  if (module === undefined) throw new Error('Kamailio has no module imc (Debian: apt-get install kamailio)');
  const port = await freePort();
  const config = join(folder, 'kamailio.cfg');
  writeFileSync(config, configuration(module.replace(/imc\.so$/, ''), port, database, users.port));
  const logFile = join(folder, 'kamailio.log');
  const log = openSync(logFile, 'a');
  // -DD: stays in the foreground, so that it ends with its pid.
  const args = ['-DD', '-f', config, '-P', join(folder, 'pid'), '-Y', folder, '-w', folder, '-m', '64', '-M', '16'];
  const child: ChildProcess = spawn('kamailio', args, { stdio: ['ignore', log, log] });
  const exited = once(child, 'exit');
  const stop = async (): Promise<void> => {
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGTERM');
    await exited;
  };
  try {
    users.aim({ host: '127.0.0.1', port });
    const ended = exited.then(([code]) => Promise.reject(new Error(`kamailio ended with ${code}`)));
    await Promise.race([users.request({ uri: 'sip:elsewhere@imc.test', body: 'are you there?' }), ended]);
  } catch (error) {
    await stop();
    throw new Error(`${String(error)}: ${readFileSync(logFile, 'utf8').slice(-2000)}`, { cause: error });
  }
  return { stop };
};

const configuration = (modules: string, port: number, database: string, proxyPort: number): string => `
debug=-1
log_stderror=yes
children=1
disable_tcp=yes
mpath="${modules}"
listen=udp:127.0.0.1:${port}
alias="imc.test"
${['db_mysql', 'kex', 'corex', 'tm', 'tmx', 'sl', 'rr', 'pv', 'maxfwd', 'textops', 'siputils', 'imc']
  .map((name) => `loadmodule "${name}.so"`)
  .join('\n')}
modparam("imc", "db_url", "${database}")
modparam("imc", "outbound_proxy", "sip:127.0.0.1:${proxyPort}")
request_route {
    if (is_method("MESSAGE") && ($ru =~ "sip:[Cc]hat-[0-9]+@" || $ru =~ "sip:chat-manager@")) {
        if (imc_manager()) sl_send_reply("200", "ok"); else sl_send_reply("500", "command error");
        exit;
    }
    sl_send_reply("404", "not found");
}
`;
