import type { Transport } from './transport.ts';

/** Hands a message to the transport that its target names; `unroutable` where there is none of that name. */
export const sendByName =
  (transports: readonly Transport[]): Transport['send'] =>
  (target, head, tail, onFailure) => {
    for (const transport of transports) {
      if (transport.name === target.transport) return transport.send(target, head, tail, onFailure);
    }
    onFailure?.('unroutable');
    return true;
  };
