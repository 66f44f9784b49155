import type { IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import { type FastifyInstance, type FastifyReply, fastify } from 'fastify';
import { type HostPort, showHostPort } from '../../net/address.ts';
import { bindError } from '../../net/bind-error.ts';
import type { Log } from '../../ports/log.ts';
import type { Dispatch } from '../dispatch.ts';
import { createGuard, type Guard, type GuardOptions, type Rejection } from './http-guard.ts';

export interface HttpOptions extends GuardOptions {
  readonly port: number;
  readonly dispatch: Dispatch;
  /** Prometheus' text, and its Content-Type. */
  readonly metrics: () => Promise<{ readonly type: string; readonly text: string }>;
  /** Undefined: ready. Else why not, as a sentence. */
  readonly notReady: () => string | undefined;
  readonly log: Log;
}

export interface MiHttp {
  /** With the port really bound. */
  readonly address: HostPort;
  readonly counters: HttpCounters;
  /** Stops listening, lets requests under way finish for at most `ms`. */
  readonly close: (ms: number) => Promise<void>;
}

export interface HttpCounters {
  wrongTokens: number;
  foreign: number;
  /** Connections that were closed at once: `mostConnections` were open. */
  refusedConnections: number;
}

/** Bounds: a caller that sends much, slowly, or never reads costs no more than one connection and these. */
const mostConnections = 64;
const mostBytes = 1_048_576;
const requestMs = 10_000;
const idleMs = 15_000;

/** `POST /mi`, `GET /metrics`, `GET /healthz`, `GET /readyz`. Rejects with a sentence where the address cannot be bound. */
export const openMiHttp = async (options: HttpOptions): Promise<MiHttp> => {
  const { host, port, clock } = options;
  const guard = createGuard(options);
  const counters: HttpCounters = Object.assign(guard.counters, { refusedConnections: 0 });
  const app = boundedApp();
  app.server.on('drop', () => {
    counters.refusedConnections += 1;
  });
  say(app);
  route(app, guard, options);
  try {
    await app.listen({ host, port, listenTextResolver: () => '' });
  } catch (error) {
    throw bindError(`${showHostPort({ host, port })} (mi.http)`, error);
  }
  const bound = app.server.address();
  return {
    address: typeof bound === 'object' && bound !== null ? { host: bound.address, port: bound.port } : { host, port },
    counters,
    close: async (ms) => {
      const force = clock.after(ms, () => app.server.closeAllConnections());
      await app.close();
      force.cancel();
    },
  };
};

/** Takes JSON alone, as text. */
const boundedApp = (): FastifyInstance => {
  const app = fastify({
    bodyLimit: mostBytes,
    requestTimeout: requestMs,
    connectionTimeout: idleMs,
    keepAliveTimeout: 5_000,
    http: { maxHeaderSize: 16_384, headersTimeout: requestMs },
    exposeHeadRoutes: true,
    forceCloseConnections: true,
  });
  app.server.maxConnections = mostConnections;
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('application/json', { parseAs: 'string' }, (_request, body, done) => done(null, body));
  return app;
};

const route = (app: FastifyInstance, guard: Guard, { dispatch, metrics, notReady, log }: HttpOptions): void => {
  const behind = (...checks: readonly Check[]) => ({ onRequest: refusing(log, checks) });

  app.post('/mi', behind(guard.site, guard.contentType, guard.token), async (request, reply) => {
    const pieces = await dispatch(String(request.body ?? ''), { source: sourceOf(request.raw) });
    if (pieces === undefined) return reply.code(202).send();
    reply.type('application/json; charset=utf-8');
    return reply.send(Readable.from(pieces, { objectMode: false }));
  });
  app.get('/metrics', behind(guard.token), async (_request, reply) => {
    const { type, text } = await metrics();
    return reply.type(type).send(text);
  });
  app.get('/healthz', async (_request, reply) => reply.type('text/plain').send('ok\n'));
  app.get('/readyz', async (_request, reply) => {
    const why = notReady();
    return reply
      .type('text/plain')
      .code(why === undefined ? 200 : 503)
      .send(why === undefined ? 'ready\n' : `${why}\n`);
  });
};

type Check = (request: IncomingMessage) => Rejection | undefined | Promise<Rejection | undefined>;

/** Answers where a check says no, and writes a line. */
const refusing =
  (log: Log, checks: readonly Check[]) =>
  async ({ raw }: { readonly raw: IncomingMessage }, reply: FastifyReply) => {
    for (const check of checks) {
      const no = await check(raw);
      if (no === undefined) continue;
      log.warn({ source: sourceOf(raw), status: no.status }, `management request refused: ${no.message}`);
      if (no.status === 401) reply.header('www-authenticate', 'Bearer');
      return reply.code(no.status).header('connection', 'close').send({ error: no.message });
    }
    return undefined;
  };

const sourceOf = ({ socket }: IncomingMessage): string =>
  `mi:http:${showHostPort({ host: socket.remoteAddress ?? 'unknown', port: socket.remotePort ?? 0 })}`;

/** Errors and unknown paths as sentences, with no stack trace. */
const say = (app: FastifyInstance): void => {
  app.setErrorHandler<Error & { readonly statusCode?: number }>((error, _request, reply) => {
    const status = error.statusCode ?? 500;
    const message = status < 500 ? error.message : 'internal error';
    if (status === 413) reply.header('connection', 'close');
    return reply.code(status).send({ error: message });
  });
  app.setNotFoundHandler((request, reply) => {
    const path = request.url.split('?')[0];
    if (path === '/mi') return reply.code(405).header('allow', 'POST').send({ error: '/mi takes POST' });
    return reply.code(404).send({ error: 'there are POST /mi, GET /metrics, GET /healthz and GET /readyz' });
  });
};
