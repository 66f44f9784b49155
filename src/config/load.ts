import { hostname } from 'node:os';
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import type * as t from 'io-ts';
import { allOptions, Config } from './config.ts';
import { type ConfigProblem, showFound, suggestion } from './problems.ts';
import { brokenRules } from './rules.ts';
import { Secret } from './secret.ts';
import { type Collected, type Entry, isRecord, readSources, readText, type Sources } from './sources.ts';
import { withPassword } from './urls.ts';

/** The configuration, from its sources to values that are right, alone and together. All that is wrong is told at once. */

/** An option's value as it was given, and where. */
type Given = Pick<Entry, 'value' | 'source'>;
type GivenOptions = ReadonlyMap<string, Given>;

/** Every option's value, as given or by default, not yet decoded. */
interface RawOptions {
  readonly raw: ReadonlyMap<string, unknown>;
  /** Where an option's value comes from. */
  readonly source: (path: string) => string;
}

const fileNames = [...allOptions].flatMap(([name, { secret }]) => (secret ? [`${name}_file`] : []));
/** Every name that may be given: the options, and `NAME_file` of the secret ones. */
export const optionNames: readonly string[] = [...allOptions.keys(), ...fileNames];

/** Reads file, environment and command line. Left: all that is wrong, never empty. */
export const loadConfig = (sources: Sources): TE.TaskEither<readonly ConfigProblem[], Config> =>
  pipe(
    TE.fromTask(readSources(sources)),
    TE.map(andThen(optionsIn)),
    TE.map(andThen(withDefaults(sources.terminal ?? process.stderr.isTTY === true))),
    TE.map(andThen(withPasswords)),
    TE.chainEitherK(decoded),
  );

/** One step more, and its problems to those before. */
const andThen =
  <A, B>(step: (value: A) => Collected<B>) =>
  (before: Collected<A>): Collected<B> => {
    const { value, problems } = step(before.value);
    return { value, problems: [...before.problems, ...problems] };
  };

/** The options among what was given: of several sources the last one counts. */
const optionsIn = (entries: readonly Entry[]): Collected<GivenOptions> => {
  const problems: ConfigProblem[] = [];
  const given = new Map<string, Given>();
  const here = new Set<string>();
  for (const { path, value, source } of entries) {
    if (!optionNames.includes(path)) {
      const allowed = suggestion(path, optionNames);
      problems.push({ path, source, found: 'an option that imcd does not know', allowed });
      continue;
    }
    const isFile = !allOptions.has(path);
    const name = isFile ? path.slice(0, -'_file'.length) : path;
    const place = `${source}\0${name}`;
    if (here.has(place))
      problems.push({ path, source, found: `${name} beside ${name}_file`, allowed: 'only one of them is allowed' });
    here.add(place);
    const secret = isFile ? secretIn(value) : E.right(value);
    if (E.isLeft(secret)) {
      const allowed = 'allowed is the path of a file that can be read';
      problems.push({ path, source, found: secret.left, allowed });
    }
    given.set(name, {
      value: E.isRight(secret) ? secret.right : undefined,
      source: isFile ? `${source}, ${path}` : source,
    });
  }
  return { value: given, problems };
};

/** What stands in the file of a secret; Left: what was found instead. */
const secretIn = (file: unknown): E.Either<string, string> =>
  pipe(
    typeof file === 'string' ? readText(file, 65_536) : E.left(showFound(file, false)),
    E.map((text) => text.replace(/\r?\n$/, '')),
  );

/** @param terminal stderr is one */
const withDefaults =
  (terminal: boolean) =>
  (given: GivenOptions): Collected<RawOptions> => {
    const data = String(given.get('data')?.value ?? allOptions.get('data')?.fallback);
    const around = { hostName: hostname(), terminal, data };
    const raw = new Map(
      [...allOptions].map(([name, { fallback }]) => {
        const one = given.get(name);
        if (one !== undefined) return [name, one.value];
        return [name, typeof fallback === 'function' ? fallback(around) : fallback];
      }),
    );
    return { value: { raw, source: (path) => given.get(path)?.source ?? 'default' }, problems: [] };
  };

/** Puts a password that is an option of its own into its URL. */
const withPasswords = (options: RawOptions): Collected<RawOptions> => {
  const problems: ConfigProblem[] = [];
  const raw = new Map(options.raw);
  for (const [url, password] of [
    ['store_url', 'store_password'],
    ['db_url', 'db_password'],
  ] as const) {
    const [bare, word] = [raw.get(url), raw.get(password)];
    if (typeof bare !== 'string' || typeof word !== 'string' || word === 'none' || word === '') continue;
    const whole = withPassword(bare, new Secret(word));
    raw.set(url, whole);
    if (whole !== bare) continue;
    problems.push({
      path: password,
      source: options.source(password),
      found: `a password, but ${url} names no user that it could be for, or has one already`,
      allowed: `allowed is a ${url} of the form SCHEME://USER@HOST/...`,
    });
  }
  return { value: { ...options, raw }, problems };
};

/** The values; Left: all that is wrong, with them and before. What they must be together is asked once each is right alone. */
const decoded = ({
  value: { raw, source },
  problems,
}: Collected<RawOptions>): E.Either<readonly ConfigProblem[], Config> =>
  pipe(
    Config.decode(nested(raw)),
    E.mapLeft((errors) => [...problems, ...errors.map((error) => wrongValue(error, source))]),
    E.chain((config) => {
      const all = [...problems, ...brokenRules(config, source)];
      return all.length > 0 ? E.left(all) : E.right(config);
    }),
  );

const wrongValue = (
  { context, value, message = '' }: t.ValidationError,
  source: RawOptions['source'],
): ConfigProblem => {
  const path = context.flatMap(({ key }) => (key === '' ? [] : [key])).join('.');
  const option = allOptions.get(path);
  const allowed = `${message === '' ? '' : `${message}; `}allowed is ${option?.kind.allowed}`;
  return { path, source: source(path), found: showFound(value, option?.secret === true), allowed };
};

const nested = (flat: ReadonlyMap<string, unknown>): Record<string, unknown> => {
  const root: Record<string, unknown> = {};
  for (const [path, value] of flat) {
    const [first = '', second] = path.split('.');
    if (second === undefined) root[first] = value;
    else {
      const section = root[first];
      root[first] = { ...(isRecord(section) ? section : {}), [second]: value };
    }
  }
  return root;
};
