import { countReason, type Target, type Transport } from '../transport/transport.ts';
import { transports } from '../transport/transports.ts';
import { branchCookie, branchLength } from './branch.ts';
import type { ClientTransactions, TransactionUser } from './client.ts';

/** Single requests over the same client transactions as the fan-out's: REGISTER, OPTIONS, what a chat client sends. */

export interface RequestHandler {
  /** Called once, with the final answer as it came. */
  readonly onResponse: (status: number, response: Buffer) => void;
  /** Called once instead where there is none: `timeout`, `overflow`, or why the request did not leave. */
  readonly onFailure: (reason: string) => void;
}

export interface RequestSender {
  /** Failed requests by reason. */
  readonly failures: Record<string, number>;
  /** @param build the whole request, with `branch` in its topmost Via; called once, before `sendRequest` returns */
  readonly sendRequest: (target: Target, build: (branch: string) => Uint8Array, handler: RequestHandler) => void;
}

/** @param send hands bytes to the transport that a target names */
export const createRequestSender = (transactions: ClientTransactions, send: Transport['send']): RequestSender => {
  const failures: Record<string, number> = {};
  return {
    failures,
    sendRequest: (target, build, handler) => {
      let bytes: Uint8Array | undefined;
      const user: TransactionUser = {
        transmit: (slot) => {
          if (bytes === undefined) {
            const unique = Buffer.alloc(branchLength);
            transactions.writeUnique(slot, unique, 0);
            bytes = build(branchCookie + unique.toString('latin1'));
          }
          send(target, bytes, undefined, (reason) => transactions.fail(slot, user, reason));
          return true;
        },
        answered: (status, response) => handler.onResponse(status, response),
        failed: (reason) => {
          countReason(failures, reason);
          handler.onFailure(reason);
        },
      };
      if (!transactions.start(user, transports[target.transport].reliable)) user.failed('overflow');
    },
  };
};
