import * as E from 'fp-ts/lib/Either.js';
import * as t from 'io-ts';
import { headerLines } from './headers.ts';
import { type AnyKind, asText, flag, integer, type Kind, kind, listOf, oneOf, orNone, text } from './kinds.ts';
import { advertised, domain, hostPort, listenAddress, network, proxyAddress } from './network.ts';
import { userPattern } from './patterns.ts';
import { secret } from './secret.ts';
import { dbUrl, storeUrl } from './urls.ts';

/** What defaults may depend on. */
export interface Surroundings {
  readonly hostName: string;
  /** stderr is a terminal. */
  readonly terminal: boolean;
  /** The `data` option. */
  readonly data: string;
}

/** An option: how it is read, its default as one would write it, and what it means. */
export interface Option<K extends AnyKind = AnyKind> {
  readonly kind: K;
  readonly fallback: unknown | ((around: Surroundings) => unknown);
  /** The default in words, where it depends on something. */
  readonly fallbackText?: string;
  readonly meaning: string;
  /** Never shown; may be given as a file's name in `NAME_file`. */
  readonly secret?: true;
  /** SIGHUP applies a new value to a running server. */
  readonly reloadable?: true;
}

const option = <K extends AnyKind>(
  kind: K,
  fallback: Option['fallback'],
  meaning: string,
  more: Pick<Option, 'fallbackText' | 'secret' | 'reloadable'> = {},
): Option<K> => ({ kind, fallback, meaning, ...more });

const path = text('a path', /^[^\0]+$/);
// The column `version.table_name` holds 32 characters.
const table = text('1 to 32 letters, digits, _ or $', /^[A-Za-z0-9_$]{1,32}$/);
/** One character. */
const startChar: Kind<string> = kind({
  name: 'character',
  allowed: 'one visible ASCII character, of more the first counts (in YAML # stands in quotes)',
  schema: { type: 'string', pattern: '^[!-~]' },
  read: (input) => {
    const first = asText(input)?.[0] ?? '';
    return /^[!-~]$/.test(first) ? E.right(first) : E.left('');
  },
  show: (value) => value,
});
const notYet = text('none: it comes in a later version', /(?!)/);
const withDefaultText = (fallbackText: string) => ({ fallbackText });
const secretly = { secret: true } as const;
const reloadable = { reloadable: true } as const;

/** Options that stand by themselves: names as the module's, where it has one. */
export const topOptions = {
  listen: option(
    listOf(listenAddress),
    ['udp:127.0.0.1:5060', 'tcp:127.0.0.1:5060'],
    'Addresses to listen on for SIP. Port 0 takes a free one.',
  ),
  advertise: option(
    orNone(advertised),
    'none',
    'What Via and Contact show instead of the address listened on, behind NAT.',
    withDefaultText('the address listened on'),
  ),
  domains: option(
    listOf(domain),
    ['localhost', '127.0.0.1'],
    "The domains this server serves: its rooms' and its registered users'.",
  ),
  manager: option(
    userPattern,
    'chat-manager',
    'User part of the conference manager: a regular expression, full match.',
  ),
  rooms: option(userPattern, 'chat-[0-9]+', 'User parts that are rooms: a regular expression, full match.'),
  store_url: option(
    storeUrl,
    ({ data }: Surroundings) => `sqlite:${data}/log.db`,
    'The log. All rooms are read from it at the start, and each change is written to it before it is answered.',
    { ...secretly, ...withDefaultText('sqlite: log.db in data') },
  ),
  store_password: option(
    orNone(secret(1)),
    'none',
    'Password for store_url, where that names a user and no password.',
    secretly,
  ),
  db_url: option(
    dbUrl,
    ({ data }: Surroundings) => `sqlite:${data}/mirror.db`,
    "The mirror: a database with the module's tables of rooms and members.",
    { ...secretly, ...withDefaultText('sqlite: mirror.db in data') },
  ),
  db_password: option(
    orNone(secret(1)),
    'none',
    'Password for db_url, where that names a user and no password.',
    secretly,
  ),
  rooms_table: option(table, 'imc_rooms', "The mirror's table of rooms."),
  members_table: option(table, 'imc_members', "The mirror's table of members."),
  table_version: option(
    oneOf(2, 1),
    2,
    "Version written for both tables in the table `version`: 2 is OpenSIPS', 1 Kamailio's.",
  ),
  hash_size: option(integer(1, 20), 4, 'Power of two of the room table: 4 means 16 buckets.'),
  imc_cmd_start_char: option(startChar, '#', 'A message that starts with this character is a command.'),
  outbound_proxy: option(orNone(proxyAddress), 'none', 'Next hop of all that imcd sends.'),
  extra_hdrs: option(headerLines, 'none', 'Header lines added to all that imcd sends.'),
  create_on_join: option(flag('1 or 0'), 1, 'Joining a room that does not exist creates it.'),
  check_on_create: option(flag('1 or 0'), 0, 'Creating a room that exists is refused; otherwise it is joining it.'),
  notify_errors: option(
    flag('true or false'),
    true,
    'The sender of a refused command also gets the reason as a MESSAGE.',
  ),
  relay_composing: option(
    flag('true or false'),
    false,
    'Typing notices are relayed to the members; otherwise answered and dropped.',
  ),
  record_messages: option(flag('true or false'), false, 'Chat messages are written to the log too.'),
  max_message_size: option(integer(1, 1_048_576), 65_536, 'Largest body of a message, in bytes.'),
  data: option(
    path,
    'imcd-data',
    "Folder of the embedded log, the mirror, snapshots and this node's registrations; created with mode 0700.",
    withDefaultText('imcd-data under the working directory'),
  ),
  node: option(
    text('1 to 64 letters, digits, dots, - or _', /^[\w.-]{1,64}$/),
    ({ hostName }: Surroundings) => hostName.replace(/[^\w.-]/g, '-').slice(0, 64),
    "This node's name in the events' metadata.",
    withDefaultText('host name'),
  ),
  trusted: option(listOf(network), ['127.0.0.0/8', '::1'], 'Sources that are believed without a password.', reloadable),
  users: option(
    orNone(notYet),
    'none',
    "File of users for digest authentication, in htdigest's form. Comes in a later version.",
  ),
  open: option(
    flag('true or false'),
    false,
    'Accept anyone on an address that is not loopback. A forged sender can then make a room multiply traffic at a stranger.',
  ),
};

export const miOptions = {
  http: option(
    orNone(hostPort),
    '127.0.0.1:8888',
    'Management interface over HTTP, with /metrics, /healthz and /readyz.',
  ),
  fifo: option(orNone(path), 'none', 'Management interface over a FIFO, for example /tmp/opensips_fifo.'),
  datagram: option(orNone(hostPort), 'none', 'Management interface over UDP datagrams; only on loopback.'),
  token: option(
    orNone(secret(16)),
    'none',
    'Token that callers over HTTP show as `Authorization: Bearer TOKEN`; needed off loopback.',
    secretly,
  ),
};

export const logOptions = {
  level: option(oneOf('debug', 'info', 'warn', 'error'), 'info', 'Least level that is logged.', reloadable),
  format: option(
    oneOf('pretty', 'json'),
    ({ terminal }: Surroundings) => (terminal ? 'pretty' : 'json'),
    'Form of the log on stderr.',
    withDefaultText('pretty on a terminal, json else'),
  ),
};

/** The codecs of a section's options, under their names. */
const codecsOf = <O extends Readonly<Record<string, Option>>>(options: O) =>
  Object.fromEntries(Object.entries(options).map(([name, { kind }]) => [name, kind.codec])) as {
    [K in keyof O]: O[K]['kind']['codec'];
  };

/** The whole configuration. Decodes what `load.ts` has put together; encodes into what one would write, secrets hidden. */
export const Config = t.type(
  { ...codecsOf(topOptions), mi: t.type(codecsOf(miOptions)), log: t.type(codecsOf(logOptions)) },
  'Config',
);
export type Config = t.TypeOf<typeof Config>;

/** The domain of a room or user that is named without one: the first that is served. */
export const homeDomain = ({ domains }: Config): string => domains[0] ?? 'localhost';

/** The parts of the configuration by the prefix of their names. */
export const sections = { '': topOptions, 'mi.': miOptions, 'log.': logOptions } as const;

/** Every option by its full name (`mi.http`). */
export const allOptions: ReadonlyMap<string, Option> = new Map(
  Object.entries(sections).flatMap(([prefix, options]) =>
    Object.entries<Option>(options).map(([name, one]) => [prefix + name, one] as const),
  ),
);
