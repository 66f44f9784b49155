import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { connect } from 'node:net';
import { describe, it } from 'node:test';
import { listenTransports } from '../../../src/config/network.ts';
import { systemClock } from '../../../src/runtime/clock.ts';
import { createTransports } from '../../../src/sip/transport/create.ts';
import {
  type TransportName,
  transportNames,
  transportOfUri,
  transports,
  uriParameterOf,
} from '../../../src/sip/transport/transports.ts';
import { type TransportSubject, transportContract } from '../../contract/transport.ts';
import { quiet } from '../../support/world.ts';

/** What the contract needs to know of each transport that exists. */
const subjects: Readonly<Record<TransportName, Omit<TransportSubject, 'name' | 'create'>>> = {
  udp: {
    throwAt: (port, bytes) =>
      new Promise((done) => {
        const socket = createSocket('udp4');
        socket.send(bytes, port, '127.0.0.1', () => socket.close(() => done()));
      }),
    // The limited broadcast address: a socket without SO_BROADCAST is refused it by the kernel.
    unreachable: { target: { transport: 'udp', host: '255.255.255.255', port: 5060 }, reasons: ['EACCES'] },
  },
  tcp: {
    throwAt: (port, bytes) =>
      new Promise((done) => {
        const socket = connect(port, '127.0.0.1', () => socket.end(bytes, () => done()));
        socket.on('error', () => {});
        socket.resume();
      }),
    unreachable: { target: { transport: 'tcp', host: '127.0.0.1', port: 1 }, reasons: ['refused'] },
  },
};

const create = (name: TransportName) => createTransports({ clock: systemClock, log: quiet, largestBody: 65_536 })[name];

for (const name of transportNames)
  transportContract({ name: transports[name].via, create: () => create(name), ...subjects[name] });

describe('the table of transports', () => {
  it('has the names that the configuration takes, and no others', () => {
    assert.deepEqual(transportNames, listenTransports);
  });

  it('names each transport as it names itself', () => {
    for (const name of transportNames) assert.equal(create(name).name, name);
  });

  it('finds the transport that a URI asks for, and writes what asks for it', () => {
    for (const name of transportNames) {
      const { scheme, parameter } = transports[name];
      assert.equal(transportOfUri(scheme, parameter.toUpperCase()), name);
      const written = /^(?:;transport=(.+))?$/.exec(uriParameterOf(name));
      assert.equal(transportOfUri(scheme, written?.[1]), name);
    }
    assert.equal(transportOfUri('sip', undefined), 'udp');
    assert.equal(transportOfUri('sips', undefined), undefined);
    assert.equal(transportOfUri('sip', 'sctp'), undefined);
    assert.equal(uriParameterOf('udp'), '');
    assert.equal(uriParameterOf('tcp'), ';transport=tcp');
  });

  it('has a name of its own in Via, and a way of its own in URIs, for each', () => {
    const rows = Object.values(transports);
    assert.equal(new Set(rows.map(({ via }) => via)).size, rows.length);
    assert.equal(new Set(rows.map(({ scheme, parameter }) => `${scheme} ${parameter}`)).size, rows.length);
  });
});
