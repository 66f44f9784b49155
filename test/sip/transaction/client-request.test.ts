import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ClientTransactions } from '../../../src/sip/transaction/client.ts';
import { createRequestSender } from '../../../src/sip/transaction/client-request.ts';
import type { SendFailure, Target } from '../../../src/sip/transport/transport.ts';
import { createFakeClock } from '../../support/fake-clock.ts';
import { countingIds } from '../../support/world.ts';

const target: Target = { transport: 'udp', host: '192.0.2.1', port: 5060 };

describe('a single request', () => {
  const world = (failure?: SendFailure) => {
    const clock = createFakeClock();
    const transactions = new ClientTransactions({ clock, ids: countingIds(), limit: 2 });
    const sent: string[] = [];
    const ended: string[] = [];
    const { sendRequest, failures } = createRequestSender(transactions, (_, head, __, onFailure) => {
      if (failure === undefined) sent.push(Buffer.from(head).toString());
      else onFailure?.(failure);
      return true;
    });
    const send = (): void =>
      sendRequest(target, (branch) => Buffer.from(`OPTIONS sip:a SIP/2.0\r\nVia: SIP/2.0/UDP b;branch=${branch}\r\n`), {
        onResponse: (status, response) => ended.push(`${status} ${response.length}`),
        onFailure: (reason) => ended.push(reason),
      });
    return { clock, transactions, sent, ended, failures, send };
  };

  it('is repeated as it is until it is answered', () => {
    const { clock, transactions, sent, ended, send } = world();
    send();
    clock.advance(600);
    assert.equal(sent.length, 2);
    assert.equal(sent[0], sent[1]);
    const response = Buffer.from(`SIP/2.0 404 Not Found\r\n${sent[0]?.split('\r\n')[1]}\r\n\r\n`);
    transactions.response(response);
    clock.advance(60_000);
    assert.equal(sent.length, 2);
    assert.deepEqual(ended, [`404 ${response.length}`]);
  });

  it('fails once: for want of an answer, as the transport says, or for want of room', () => {
    const silent = world();
    silent.send();
    silent.clock.advance(60_000);
    assert.deepEqual(silent.ended, ['timeout']);
    const unroutable = world('unroutable');
    unroutable.send();
    assert.deepEqual(unroutable.ended, ['unroutable']);
    const full = world();
    for (let i = 0; i < 3; i += 1) full.send();
    assert.deepEqual(full.ended, ['overflow']);
    assert.deepEqual(full.failures, { overflow: 1 });
  });
});
