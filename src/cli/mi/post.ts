import { request } from 'node:http';
import * as E from 'fp-ts/lib/Either.js';
import type * as TE from 'fp-ts/lib/TaskEither.js';
import { type HostPort, showHostPort } from '../../net/address.ts';
import { type CliError, cliError } from '../cli-error.ts';
import { printable } from '../terminal/show.ts';

/** One POST to a management interface: a body there, a body back. */

/** Where the interface is, and the bearer token that it asks for. */
export interface MiAddress extends HostPort {
  readonly token: string | undefined;
}

/** Why there is no answer that could be read, or that the server's answer is an error. */
export interface MiFailure extends CliError {
  /** `NoServer`: nobody listens there. `NoAnswer`: it broke off, took too long, or answered with something else. */
  readonly kind: 'NoServer' | 'NoAnswer' | 'Refused';
  /** Of a refusal: JSON-RPC's code, which for MI's own errors is SIP's (404: no such room). */
  readonly rpcCode?: number;
}

export const noAnswer = (message: string): MiFailure => ({ ...cliError(message), kind: 'NoAnswer' });

const longestMs = 30_000;

/** For people: `http://127.0.0.1:8888/mi`. */
export const urlOf = (address: HostPort): string => `http://${showHostPort(address)}/mi`;

/** Right: the body of a 200. */
export const post =
  (address: MiAddress, body: string): TE.TaskEither<MiFailure, string> =>
  () =>
    new Promise((resolve) => {
      const { host, port } = address;
      const url = urlOf(address);
      const fail = (failure: MiFailure): void => resolve(E.left(failure));
      const sent = request(
        { host, port, path: '/mi', method: 'POST', headers: headersOf(address, body), agent: false },
        (response) => {
          const parts: Buffer[] = [];
          response.on('data', (part: Buffer) => parts.push(part));
          response.on('error', (error) => fail(unreachable(url, error)));
          response.on('end', () => {
            const text = Buffer.concat(parts).toString('utf8');
            if (response.statusCode === 200) resolve(E.right(text));
            else fail(noAnswer(`${url} answered ${response.statusCode}: ${printable(text.slice(0, 300), '\r\n\t')}`));
          });
        },
      );
      sent.setTimeout(longestMs, () => sent.destroy(new Error(`no answer within ${longestMs / 1000} s`)));
      sent.on('error', (error) => fail(unreachable(url, error)));
      sent.end(body);
    });

const headersOf = ({ token }: MiAddress, body: string) => ({
  'content-type': 'application/json',
  'content-length': Buffer.byteLength(body),
  ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
});

const unreachable = (url: string, error: NodeJS.ErrnoException): MiFailure => {
  if (error.code !== 'ECONNREFUSED') return noAnswer(`${url} cannot be asked: ${error.message}`);
  const message = `no server answers at ${url}. Is it running, and is mi.http the same here and there?`;
  return { ...cliError(message), kind: 'NoServer' };
};
