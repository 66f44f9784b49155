import { request } from 'node:http';
import type { Config } from '../../config/config.ts';
import { reachableHere, showHostPort } from '../../net/address.ts';
import { CliError } from '../invocation.ts';

/** A call of a running server's management interface, as JSON-RPC over HTTP. */
export interface MiClient {
  /** Where it is asked, for people: `http://127.0.0.1:8888/mi`. */
  readonly url: string;
  /** The result. Throws `MiError` for an error that the server answers, `CliError` where there is no answer. */
  readonly call: (method: string, params: unknown) => Promise<unknown>;
  /** Many calls at once, at most 100: results in order, errors as `MiError`. */
  readonly calls: (method: string, params: readonly unknown[]) => Promise<readonly unknown[]>;
}

/** The server's own no. */
export class MiError extends CliError {
  readonly rpcCode: number;
  constructor(code: number, message: string) {
    super(`${message} (${code})`);
    this.rpcCode = code;
  }
}

/** Nobody listens there. */
export class NoServer extends CliError {}

const longestMs = 30_000;

/** Throws `CliError` where the configuration has no `mi.http`. */
export const miClient = (config: Config): MiClient => {
  const { http, token } = config.mi;
  if (http === undefined) throw new CliError('mi.http is none: there is no management interface to ask over HTTP', 2);
  const host = reachableHere(http.host);
  const where = showHostPort({ host, port: http.port });
  const url = `http://${where}/mi`;
  const authorization = token === undefined ? {} : { authorization: `Bearer ${token.reveal()}` };

  const post = (body: string): Promise<unknown> =>
    new Promise((resolve, reject) => {
      const headers = {
        'content-type': 'application/json',
        'content-length': Buffer.byteLength(body),
        ...authorization,
      };
      const sent = request(
        { host, port: http.port, path: '/mi', method: 'POST', headers, agent: false },
        (response) => {
          const parts: Buffer[] = [];
          response.on('data', (part: Buffer) => parts.push(part));
          response.on('error', reject);
          response.on('end', () => {
            const text = Buffer.concat(parts).toString('utf8');
            if (response.statusCode === 200) resolve(parsed(text, url));
            else reject(new CliError(`${url} answered ${response.statusCode}: ${text.slice(0, 300)}`));
          });
        },
      );
      sent.setTimeout(longestMs, () => sent.destroy(new Error(`no answer within ${longestMs / 1000} s`)));
      sent.on('error', (error: NodeJS.ErrnoException) => {
        if (error.code === 'ECONNREFUSED') {
          reject(new NoServer(`no server answers at ${url}. Is it running, and is mi.http the same here and there?`));
        } else reject(new CliError(`${url} cannot be asked: ${error.message}`));
      });
      sent.end(body);
    });

  return {
    url,
    call: async (method, params) => result(await post(JSON.stringify(callOf(method, params, 1))), url),
    calls: async (method, params) => {
      const answers = await post(JSON.stringify(params.map((one, id) => callOf(method, one, id))));
      if (!Array.isArray(answers)) throw new CliError(`${url} answered a batch with something else`);
      return answers.map((answer) => {
        try {
          return result(answer, url);
        } catch (error) {
          return error;
        }
      });
    },
  };
};

const callOf = (method: string, params: unknown, id: number) => ({
  jsonrpc: '2.0',
  method,
  id,
  ...(params === undefined ? {} : { params }),
});

const parsed = (text: string, url: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    throw new CliError(`${url} answered with something that is no JSON`);
  }
};

const result = (answer: unknown, url: string): unknown => {
  if (typeof answer !== 'object' || answer === null)
    throw new CliError(`${url} answered with something else than JSON-RPC`);
  if ('error' in answer && typeof answer.error === 'object' && answer.error !== null) {
    const { code, message, data }: Readonly<Record<string, unknown>> = { ...answer.error };
    throw new MiError(Number(code), data === undefined ? String(message) : `${message}: ${data}`);
  }
  if ('result' in answer) return answer.result;
  throw new CliError(`${url} answered without a result`);
};
