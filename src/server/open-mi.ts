import { hostname } from 'node:os';
import * as E from 'fp-ts/lib/Either.js';
import type { Config } from '../config/config.ts';
import type { Metrics } from '../metrics/registry.ts';
import { createStatistics } from '../metrics/statistics.ts';
import type { MiCounters } from '../mi/counters.ts';
import { createMiDispatch } from '../mi/dispatch.ts';
import { openMiDatagram } from '../mi/fronts/datagram.ts';
import { openMiFifo } from '../mi/fronts/fifo.ts';
import { type MiHttp, openMiHttp } from '../mi/fronts/http.ts';
import type { MiPorts } from '../mi/ports.ts';
import { withoutBrackets } from '../net/address.ts';
import type { Clock } from '../ports/clock.ts';
import { parseMember, parseRoom } from '../room/parse-address.ts';
import { reasonOf } from '../room/texts.ts';
import type { RunningLog } from '../runtime/log.ts';
import { version } from '../runtime/version.ts';

/** What the management interface shows and works on. */
export interface MiParts
  extends Pick<MiPorts, 'rooms' | 'conference' | 'ids' | 'history' | 'bindings' | 'storeStatus' | 'mirrorStatus'> {
  readonly clock: Clock;
  readonly log: RunningLog;
  /** Milliseconds since 1970. */
  readonly startedAt: number;
  readonly metrics: Metrics;
  readonly counters: MiCounters;
  /** Undefined: ready. Else why not, as a sentence. */
  readonly notReady: () => string | undefined;
}

export interface OpenedMi {
  /** Undefined with `mi.http: none`. */
  readonly http: MiHttp | undefined;
  readonly close: (ms: number) => Promise<void>;
}

/** Opens HTTP, FIFO and datagram socket, as configured. Rejects with a sentence where one cannot be had. */
export const openMi = async (config: Config, parts: MiParts): Promise<OpenedMi> => {
  const { clock, log, metrics, counters } = parts;
  const { http, fifo, datagram, token } = config.mi;
  const dispatch = createMiDispatch(portsOf(config, parts), log, counters);
  const closers: ((ms: number) => unknown)[] = [];
  const open = async (): Promise<MiHttp | undefined> => {
    if (datagram !== undefined) {
      const opened = await openMiDatagram({ ...datagram, dispatch, log });
      counters.fronts.push(() => ({ ...opened.counters }));
      closers.push(opened.close);
    }
    if (fifo !== undefined) {
      const opened = openMiFifo({ path: fifo, replyFolder: '/tmp', dispatch, clock, log });
      counters.fronts.push(() => ({ ...opened.counters }));
      closers.push(opened.close);
    }
    if (http === undefined) return undefined;
    const { notReady } = parts;
    const guard = { host: http.host, names: namesOf(config), token: token?.reveal(), clock };
    const opened = await openMiHttp({ ...guard, port: http.port, dispatch, metrics: metrics.scrape, notReady, log });
    counters.fronts.push(() => ({ ...opened.counters }));
    closers.push(opened.close);
    return opened;
  };
  const close = async (ms: number): Promise<void> => {
    await Promise.all(closers.map((closer) => closer(ms)));
  };
  try {
    return { http: await open(), close };
  } catch (error) {
    await close(0);
    throw error;
  }
};

/** What callers may know us by. */
const namesOf = ({ domains, advertise }: Config): ReadonlySet<string> =>
  new Set(
    [...domains, hostname(), ...(advertise === undefined ? [] : [advertise.host])].map((name) =>
      withoutBrackets(name).toLowerCase(),
    ),
  );

const portsOf = (config: Config, parts: MiParts): MiPorts => {
  const startChar = config.imc_cmd_start_char.charAt(0);
  const domain = config.domains[0] ?? 'localhost';
  const explain: MiPorts['explain'] = (no) => reasonOf(no, startChar);
  return {
    ...parts,
    statistics: createStatistics(parts.metrics.statistics),
    version: version(),
    explain,
    parseRoom: (text) => E.mapLeft(explain)(parseRoom(text, domain)),
    parseMember: (text) => {
      const parsed = parseMember(text, domain);
      return E.isLeft(parsed) ? E.left(explain(parsed.left)) : E.right(parsed.right.uri);
    },
  };
};
