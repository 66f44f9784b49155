import { spawnSync } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { newMiCounters } from '../../../src/mi/counters.ts';
import type { Dispatch } from '../../../src/mi/dispatch.ts';
import { openMiDatagram } from '../../../src/mi/fronts/datagram.ts';
import { openMiFifo } from '../../../src/mi/fronts/fifo.ts';
import { openMiHttp } from '../../../src/mi/fronts/http.ts';
import { miMetrics } from '../../../src/mi/metrics.ts';
import { systemClock } from '../../../src/runtime/clock.ts';
import { quiet } from '../../support/world.ts';
import { readerOf, type Scene, type Story, story, type Values } from '../story.ts';
import type { Place } from './place.ts';

async function* one(text: string): AsyncGenerator<string, void, undefined> {
  yield text;
}
const answering: Dispatch = async () => one('{}');
const silent: Dispatch = () => new Promise(() => {});

/** What one front counts. */
const readFront = (counters: object): (() => Promise<Values>) =>
  readerOf(miMetrics, { ...newMiCounters(), fronts: [() => ({ ...counters })] });

const onHttp = async (act: (port: number) => unknown): Promise<Scene> => {
  const front = await openMiHttp({
    host: '127.0.0.1',
    port: 0,
    names: new Set(),
    token: 'right-right-right',
    clock: systemClock,
    dispatch: answering,
    metrics: async () => ({ type: 'text/plain', text: '' }),
    notReady: () => undefined,
    log: quiet,
  });
  return { read: readFront(front.counters), act: () => act(front.address.port), end: () => front.close(0) };
};

/** A POST to /mi; its answer is nobody's business. */
const post = (port: number, headers: Readonly<Record<string, string>>): void => {
  const sent = request({ host: '127.0.0.1', port, path: '/mi', method: 'POST', headers });
  sent.on('response', (response) => response.resume()).on('error', () => {});
  sent.end('{}');
};
const json = { 'content-type': 'application/json' };

/** @param act gets the FIFO, and the folder where reply FIFOs are */
const onFifo = (act: (path: string, folder: string) => unknown): Scene => {
  const folder = mkdtempSync(join(tmpdir(), 'imcd-fifo-'));
  const path = join(folder, 'fifo');
  const front = openMiFifo({ path, replyFolder: folder, dispatch: answering, clock: systemClock, log: quiet });
  const end = (): void => {
    front.close();
    rmSync(folder, { recursive: true });
  };
  return { read: readFront(front.counters), act: () => act(path, folder), end };
};

const onDatagrams = async (): Promise<Scene> => {
  const front = await openMiDatagram({ host: '127.0.0.1', port: 0, dispatch: silent, log: quiet });
  const socket = createSocket('udp4');
  const act = (): void => {
    for (let i = 0; i < 40; i += 1) socket.send('{}', front.address.port, '127.0.0.1');
  };
  return { read: readFront(front.counters), act, end: () => [socket.close(), front.close()] };
};

const sockets = (count: number, port: number) =>
  Array.from({ length: count }, () => connect(port, '127.0.0.1').on('error', () => {}));

/** Stories of the management interface. */
export const miStories = ({ read, server }: Place): readonly Story[] => {
  const call = (method: string) => (): Scene => ({
    read,
    act: () =>
      fetch(`http://127.0.0.1:${server.mi}/mi`, {
        method: 'POST',
        headers: json,
        body: JSON.stringify({ jsonrpc: '2.0', method, id: 1 }),
      }),
  });
  return [
    story('mi_calls_total{pwd}', 'pwd is called', call('pwd')),
    story('mi_calls_total{unknown}', 'a method that there is not is called', call('dwp')),
    story('mi_errors_total{-32601}', 'a method that there is not is called', call('dwp')),
    story('mi_refused_total{wrongTokens}', 'a wrong token', () =>
      onHttp((port) => post(port, { ...json, authorization: 'Bearer wrong-wrong-wrong' })),
    ),
    story('mi_refused_total{foreign}', 'a Host that is not ours', () =>
      onHttp((port) => post(port, { ...json, host: 'evil.example' })),
    ),
    story('mi_refused_total{refusedConnections}', '80 connections', () => {
      const opened: ReturnType<typeof sockets>[number][] = [];
      return onHttp((port) => opened.push(...sockets(80, port))).then((scene) => ({
        ...scene,
        end: async () => {
          for (const socket of opened) socket.destroy();
          await scene.end?.();
        },
      }));
    }),
    story('mi_refused_total{fifoDropped}', 'a line that is no request', () =>
      onFifo((path) => writeFileSync(path, 'nonsense\n')),
    ),
    story('mi_refused_total{fifoRefused}', 'a reply FIFO that is a file', () =>
      onFifo((path, folder) => {
        writeFileSync(join(folder, 'reply'), '');
        writeFileSync(path, ':reply:{}');
      }),
    ),
    story('mi_refused_total{fifoGivenUp}', 'a reply FIFO that nobody reads', () =>
      onFifo((path, folder) => {
        spawnSync('mkfifo', [join(folder, 'reply')]);
        writeFileSync(path, ':reply:{}');
      }),
    ),
    story('mi_refused_total{datagramsDropped}', '40 requests at once', onDatagrams),
  ];
};
