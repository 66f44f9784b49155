import { createSocket } from 'node:dgram';
import { connect } from 'node:net';
import { createTcp } from '../../../src/sip/transport/tcp.ts';
import { createUdp } from '../../../src/sip/transport/udp.ts';
import { transportContract } from '../../contract/transport.ts';
import { quiet, systemClock } from '../support/world.ts';

transportContract({
  name: 'UDP',
  create: () => createUdp(quiet),
  throwAt: (port, bytes) =>
    new Promise((done) => {
      const socket = createSocket('udp4');
      socket.send(bytes, port, '127.0.0.1', () => socket.close(() => done()));
    }),
  // The limited broadcast address: a socket without SO_BROADCAST is refused it by the kernel.
  unreachable: { target: { transport: 'udp', host: '255.255.255.255', port: 5060 }, reasons: ['EACCES'] },
});

transportContract({
  name: 'TCP',
  create: () => createTcp({ clock: systemClock, log: quiet, largestBody: 65_536 }),
  throwAt: (port, bytes) =>
    new Promise((done) => {
      const socket = connect(port, '127.0.0.1', () => socket.end(bytes, () => done()));
      socket.on('error', () => {});
      socket.resume();
    }),
  unreachable: { target: { transport: 'tcp', host: '127.0.0.1', port: 1 }, reasons: ['refused'] },
});
