import { readFile } from 'node:fs/promises';
import * as E from 'fp-ts/lib/Either.js';
import type { Config } from '../../config/config.ts';
import { reachableHere, showHostPort } from '../../net/address.ts';
import { domainOf } from '../../room/address.ts';
import { parseMember, parseRoom } from '../../room/parse-address.ts';
import { reasonOf } from '../../room/texts.ts';
import { systemClock } from '../../runtime/clock.ts';
import { randomIds } from '../../runtime/ids.ts';
import { version } from '../../runtime/version.ts';
import { createResolver, nextHopOf } from '../../sip/transport/resolve.ts';
import type { Target } from '../../sip/transport/transport.ts';
import { transports, uriParameterOf } from '../../sip/transport/transports.ts';
import { type ChatOptions, runChat } from '../chat/session.ts';
import { CliError, type Invocation, type Run } from '../invocation.ts';
import { printable } from '../terminal/show.ts';

/** `imcd chat AOR ROOM`: a person, or a pipe, in a room. */
export const run: Run = async (invocation) => {
  const streams = { input: process.stdin, output: process.stdout, errors: process.stderr };
  const ended = await runChat(await optionsOf(invocation), streams)();
  if (E.isLeft(ended)) throw new CliError(printable(ended.left));
  return ended.right;
};

const optionsOf = async ({ args, options, config }: Invocation): Promise<ChatOptions> => {
  const [who = '', where = ''] = args;
  const settings = await config();
  const aor = parseMember(who, '');
  if (E.isLeft(aor)) throw new CliError(`${reasonOf(aor.left, '')}. Write yours as sip:alice@localhost.`, 2);
  const room = parseRoom(where, domainOf(aor.right.uri));
  if (E.isLeft(room)) throw new CliError(`${reasonOf(room.left, '')}. Write the room as chat-001.`, 2);
  const server = typeof options.server === 'string' ? options.server : serverFor(domainOf(aor.right.uri), settings);
  return {
    clock: systemClock,
    ids: randomIds(),
    aor: aor.right.uri,
    room: room.right,
    server: await addressOf(server),
    startChar: settings.imc_cmd_start_char,
    password: await passwordFrom(options['password-file']),
    product: `imcd/${version()}`,
  };
};

/** The server of this configuration where the domain is one of its, else whoever the domain's name leads to. */
const serverFor = (domain: string, { domains, listen }: Config): string => {
  const own = domains.includes(domain.toLowerCase()) ? listen[0] : undefined;
  if (own === undefined) return `sip:${domain}`;
  const address = showHostPort({ host: reachableHere(own.host), port: own.port });
  return `${transports[own.transport].scheme}:${address}${uriParameterOf(own.transport)}`;
};

const addressOf = async (server: string): Promise<Target> => {
  const hop = nextHopOf(/^sips?:/i.test(server) ? server : `sip:${server}`);
  if (hop === undefined) throw new CliError(`${server} is no server. Write sip:HOST[:PORT][;transport=tcp].`, 2);
  const resolver = createResolver({ clock: systemClock, usable: () => true });
  const target = await new Promise<Target | undefined>((found) => resolver.resolve(hop, found));
  if (target === undefined) throw new CliError(`The host ${hop.host} has no address. Name another with --server.`);
  return target;
};

const passwordFrom = async (file: string | true | undefined): Promise<string | undefined> => {
  if (typeof file !== 'string') return undefined;
  try {
    return (await readFile(file, 'utf8')).split(/\r?\n/)[0];
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new CliError(`The password file cannot be read: ${reason}`, 2);
  }
};
