import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { Config } from '../../config/config.ts';
import { ProjectionFault } from '../../projections/limits.ts';
import type { Definition } from '../../projections/projection.ts';
import { openSandbox } from '../../projections/sandbox.ts';
import { systemClock } from '../../runtime/clock.ts';
import { CliError, type Invocation, type Run } from '../invocation.ts';
import type { ProjectionFile } from '../projections/file.ts';
import { runProjection } from '../projections/run.ts';
import { onServer } from '../projections/server.ts';
import { printable } from '../terminal/show.ts';

const shipped = join(import.meta.dirname, '..', '..', '..', 'projections');

/** `imcd projections deploy|status|result|remove|run`. */
export const run: Run = async (invocation) => {
  const [action, ...names] = invocation.args;
  switch (action) {
    case 'run': {
      const [file] = names;
      if (file === undefined || names.length > 1) throw new CliError('name one file: imcd projections run FILE', 2);
      return runProjection(read(file), invocation);
    }
    case 'deploy': {
      const files = names.length > 0 ? names.map(read) : shippedFiles();
      for (const file of files) await check(file);
      return onServer(await storeUrl(invocation), (server) => server.deploy(files, invocation));
    }
    case 'status':
    case 'remove': {
      const all = names.length > 0 ? names.map(nameOf) : shippedFiles().map(({ name }) => name);
      return onServer(await storeUrl(invocation), (server) => server[action](all, invocation));
    }
    case 'result': {
      const [name] = names;
      if (name === undefined || names.length > 1)
        throw new CliError('name one projection: imcd projections result NAME', 2);
      return onServer(await storeUrl(invocation), (server) => server.result(nameOf(name), invocation));
    }
    default:
      throw new CliError(`${printable(String(action))} is none of deploy, status, result, remove, run`, 2);
  }
};

const nameOf = (file: string): string => basename(file).replace(/\.js$/, '');

const read = (file: string): ProjectionFile => {
  try {
    return { name: nameOf(file), text: readFileSync(file, 'utf8') };
  } catch (error) {
    throw new CliError(`${printable(file)} cannot be read: ${error instanceof Error ? error.message : String(error)}`);
  }
};

const shippedFiles = (): readonly ProjectionFile[] =>
  readdirSync(shipped)
    .filter((file) => file.endsWith('.js'))
    .sort()
    .map((file) => read(join(shipped, file)));

/** One that does not compile would break the server's list of all projections, so it is tried here first. */
const check = async ({ name, text }: ProjectionFile): Promise<Definition> => {
  try {
    const sandbox = await openSandbox(text, systemClock);
    sandbox.stop();
    return sandbox.definition;
  } catch (error) {
    if (error instanceof ProjectionFault)
      throw new CliError(`${name}: ${printable(error.message)}; nothing was deployed`);
    throw error;
  }
};

const storeUrl = async ({ config }: Invocation): Promise<Config> => {
  const whole = await config();
  if (whole.store_url.kind === 'esdb') return whole;
  throw new CliError(
    `store_url is ${whole.store_url.kind}: only EventStoreDB keeps projections. Over this log: imcd projections run FILE`,
  );
};
