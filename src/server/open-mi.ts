import { hostname } from 'node:os';
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import { type Config, homeDomain } from '../config/config.ts';
import type { Metrics } from '../metrics/registry.ts';
import { createStatistics } from '../metrics/statistics.ts';
import type { MiCounters } from '../mi/counters.ts';
import { createMiDispatch, type Dispatch } from '../mi/dispatch.ts';
import { openMiDatagram } from '../mi/fronts/datagram.ts';
import { openMiFifo } from '../mi/fronts/fifo.ts';
import { type MiHttp, openMiHttp } from '../mi/fronts/http.ts';
import type { MiPorts } from '../mi/ports.ts';
import { withoutBrackets } from '../net/address.ts';
import { parseMember, parseRoom, type WrittenUser } from '../room/parse-address.ts';
import { reasonOf } from '../room/texts.ts';
import { version } from '../runtime/version.ts';
import { attempt, type Starting, type Step } from './starting.ts';

/** What the management interface shows and works on, besides what the start has at hand. */
export interface MiParts
  extends Pick<MiPorts, 'rooms' | 'conference' | 'history' | 'bindings' | 'storeStatus' | 'mirrorStatus'> {
  readonly metrics: Metrics;
  readonly counters: MiCounters;
  /** Undefined: ready. Else why not, as a sentence. */
  readonly notReady: () => string | undefined;
}

/** Where HTTP is listened on; undefined with `mi.http: none`. */
export type OpenedMi = MiHttp['address'] | undefined;

/** Opens datagram socket, FIFO and HTTP, as configured. Left: one of them cannot be had. */
export const beginMi = (starting: Starting, parts: MiParts): Step<OpenedMi> => {
  const dispatch = createMiDispatch(portsOf(starting, parts), starting.log, parts.counters);
  const open: OpenFront = (option, front) =>
    pipe(
      attempt(front),
      TE.map((opened) => {
        parts.counters.fronts.push(() => ({ ...opened.counters }));
        starting.closers.defer(option, opened.close);
        return opened;
      }),
    );
  return pipe(
    beginDatagram(starting, dispatch, open),
    TE.chain(() => beginFifo(starting, dispatch, open)),
    TE.chain(() => beginHttp(starting, dispatch, open, parts)),
  );
};

/** Opens a front, and takes it into the metrics and to the closers. */
type OpenFront = <A extends { readonly counters: object; readonly close: (ms: number) => unknown }>(
  option: string,
  front: () => A | Promise<A>,
) => Step<A>;

const beginDatagram = ({ config, log }: Starting, dispatch: Dispatch, open: OpenFront): Step<unknown> => {
  const { datagram } = config.mi;
  if (datagram === undefined) return TE.right(undefined);
  return open('mi.datagram', () => openMiDatagram({ ...datagram, dispatch, log }));
};

const beginFifo = ({ config, clock, log }: Starting, dispatch: Dispatch, open: OpenFront): Step<unknown> => {
  const { fifo } = config.mi;
  if (fifo === undefined) return TE.right(undefined);
  return open('mi.fifo', () => openMiFifo({ path: fifo, replyFolder: '/tmp', dispatch, clock, log }));
};

const beginHttp = (
  { config, clock, log }: Starting,
  dispatch: Dispatch,
  open: OpenFront,
  { metrics, notReady }: MiParts,
): Step<OpenedMi> => {
  const { http, token } = config.mi;
  if (http === undefined) return TE.right(undefined);
  const guard = { ...http, names: ownNames(config), token: token?.reveal(), clock };
  return pipe(
    open('mi.http', () => openMiHttp({ ...guard, metrics: metrics.scrape, notReady, dispatch, log })),
    TE.map(({ address }) => address),
  );
};

/** What callers may know us by. */
const ownNames = ({ domains, advertise }: Config): ReadonlySet<string> =>
  new Set(
    [...domains, hostname(), ...(advertise === undefined ? [] : [advertise.host])].map((name) =>
      withoutBrackets(name).toLowerCase(),
    ),
  );

const portsOf = ({ config, clock, ids, log, startedAt }: Starting, parts: MiParts): MiPorts => {
  const startChar = config.imc_cmd_start_char;
  const domain = homeDomain(config);
  const explain: MiPorts['explain'] = (no) => reasonOf(no, startChar);
  return {
    ...parts,
    clock,
    ids,
    log,
    startedAt,
    statistics: createStatistics(parts.metrics.statistics),
    version: version(),
    explain,
    parseRoom: (text) => E.mapLeft(explain)(parseRoom(text, domain)),
    parseMember: (text) => E.bimap(explain, ({ uri }: WrittenUser) => uri)(parseMember(text, domain)),
  };
};
