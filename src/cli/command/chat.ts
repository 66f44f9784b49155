import * as E from 'fp-ts/lib/Either.js';
import { flow, pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import type { Config } from '../../config/config.ts';
import { reachableHere, showHostPort } from '../../net/address.ts';
import { domainOf, type MemberUri, type RoomUri } from '../../room/address.ts';
import { parseMember, parseRoom } from '../../room/parse-address.ts';
import { reasonOf } from '../../room/texts.ts';
import { systemClock } from '../../runtime/clock.ts';
import { randomIds } from '../../runtime/ids.ts';
import { version } from '../../runtime/version.ts';
import { createResolver, nextHopOf } from '../../sip/transport/resolve.ts';
import type { Target } from '../../sip/transport/transport.ts';
import { transports, uriParameterOf } from '../../sip/transport/transports.ts';
import { type ChatOptions, runChat } from '../chat/session.ts';
import { type CliError, type CliTask, cliError, wrongUsage } from '../cli-error.ts';
import type { Invocation, OptionValue, Run } from '../invocation.ts';
import { passwordIn } from '../read/password-file.ts';
import { printable } from '../terminal/show.ts';

/** `imcd chat AOR ROOM`: a person, or a pipe, in a room. */
export const run: Run = (invocation) => {
  const streams = { input: process.stdin, output: process.stdout, errors: process.stderr };
  return pipe(
    invocation.config,
    TE.chain((config) => optionsOf(invocation, config)),
    TE.chain((options) => pipe(runChat(options, streams), TE.mapLeft(flow(printable, cliError)))),
  );
};

const optionsOf = ({ args: [who = '', where = ''], options }: Invocation, config: Config): CliTask<ChatOptions> =>
  pipe(
    ownAor(who),
    E.bindTo('aor'),
    E.bind('room', ({ aor }) => roomIn(domainOf(aor), where)),
    TE.fromEither,
    TE.bind('server', ({ aor }) => addressOf(String(options.server ?? serverFor(domainOf(aor), config)))),
    TE.bind('password', () => passwordOf(options['password-file'])),
    TE.map((named) => ({
      ...named,
      clock: systemClock,
      ids: randomIds(),
      startChar: config.imc_cmd_start_char,
      product: `imcd/${version()}`,
    })),
  );

const ownAor = (text: string): E.Either<CliError, MemberUri> =>
  pipe(
    parseMember(text, ''),
    E.bimap(
      (refusal) => wrongUsage(`${reasonOf(refusal, '')}. Write yours as sip:alice@localhost.`),
      ({ uri }) => uri,
    ),
  );

const roomIn = (domain: string, text: string): E.Either<CliError, RoomUri> =>
  pipe(
    parseRoom(text, domain),
    E.mapLeft((refusal) => wrongUsage(`${reasonOf(refusal, '')}. Write the room as chat-001.`)),
  );

/** The server of this configuration where the domain is one of its, else whoever the domain's name leads to. */
const serverFor = (domain: string, { domains, listen }: Config): string => {
  const own = domains.includes(domain.toLowerCase()) ? listen[0] : undefined;
  if (own === undefined) return `sip:${domain}`;
  const address = showHostPort({ host: reachableHere(own.host), port: own.port });
  return `${transports[own.transport].scheme}:${address}${uriParameterOf(own.transport)}`;
};

const addressOf = (server: string): CliTask<Target> => {
  const hop = nextHopOf(/^sips?:/i.test(server) ? server : `sip:${server}`);
  if (hop === undefined) return TE.left(wrongUsage(`${server} is no server. Write sip:HOST[:PORT][;transport=tcp].`));
  const resolver = createResolver({ clock: systemClock, usable: () => true });
  return pipe(
    TE.fromTask(() => new Promise<Target | undefined>((found) => resolver.resolve(hop, found))),
    TE.chain(TE.fromNullable(cliError(`The host ${hop.host} has no address. Name another with --server.`))),
  );
};

const passwordOf = (file: OptionValue): CliTask<string | undefined> =>
  file === undefined
    ? TE.right(undefined)
    : pipe(
        passwordIn(String(file)),
        TE.mapLeft((reason) => wrongUsage(`The password file cannot be read: ${reason}`)),
      );
