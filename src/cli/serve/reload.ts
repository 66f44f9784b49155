import { isDeepStrictEqual } from 'node:util';
import * as E from 'fp-ts/lib/Either.js';
import { allOptions, Config } from '../../config/config.ts';
import { loadConfig } from '../../config/load.ts';
import { describeProblem } from '../../config/problems.ts';
import type { RunningLog } from '../../runtime/log.ts';
import type { RunningServer } from '../../server/start.ts';
import type { ConfigSources } from '../invocation.ts';

/** SIGHUP: what of a new configuration is applied to the running server, and what is said of the rest. */

/** What of a running server can be changed. */
export interface Reloadable {
  readonly log: RunningLog;
  readonly server: Pick<RunningServer, 'reload'>;
}

/**
 * Reads the configuration again, applies what can be applied, and says by name what has changed and cannot be: that needs
 * a restart. A configuration that is wrong changes nothing.
 */
export const reload = async (sources: ConfigSources, started: Config, { log, server }: Reloadable): Promise<void> => {
  const loaded = await loadConfig(sources)();
  if (E.isLeft(loaded)) {
    for (const problem of loaded.left) log.error({}, `not reloaded: ${describeProblem(problem)}`);
    return;
  }
  const next = loaded.right;
  const waiting = changes(started, next).filter((name) => allOptions.get(name)?.reloadable !== true);
  log.setLevel(next.log.level);
  server.reload(next);
  log.info({ 'log.level': next.log.level, trusted: Config.encode(next).trusted }, 'configuration reloaded');
  if (waiting.length > 0)
    log.warn({ options: waiting }, `changed, but only a restart applies it: ${waiting.join(', ')}`);
};

/** Names of the options that differ; secrets by what they hold. */
const changes = (before: Config, after: Config): readonly string[] => {
  const [one, other] = [flat(before), flat(after)];
  return [...allOptions.keys()].filter((name) => !isDeepStrictEqual(one.get(name), other.get(name)));
};

const flat = (config: Config): ReadonlyMap<string, unknown> => {
  const { mi, log, ...rest } = Config.encode(config);
  const named = (prefix: string, section: object) =>
    Object.entries(section).map(([name, value]) => [`${prefix}${name}`, value] as const);
  return new Map<string, unknown>([
    ...named('', rest),
    ...named('mi.', Object(mi)),
    ...named('log.', Object(log)),
    ...secrets(config),
  ]);
};

const secrets = (config: Config): readonly (readonly [string, unknown])[] => [
  ['store_url', 'url' in config.store_url ? config.store_url.url.reveal() : config.store_url],
  ['db_url', 'url' in config.db_url ? config.db_url.url.reveal() : config.db_url],
  ['store_password', config.store_password?.reveal()],
  ['db_password', config.db_password?.reveal()],
  ['mi.token', config.mi.token?.reveal()],
];
