import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import {
  closeSync,
  existsSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { open as openFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { newMiCounters } from '../../../src/mi/counters.ts';
import { createMiDispatch } from '../../../src/mi/dispatch.ts';
import { type MiFifo, openMiFifo } from '../../../src/mi/fronts/fifo.ts';
import { createFraming } from '../../../src/mi/fronts/fifo-framing.ts';
import type { Clock } from '../../../src/ports/clock.ts';
import { systemClock } from '../../../src/runtime/clock.ts';
import { logTo } from '../../../src/runtime/log.ts';
import { createFakeClock } from '../../support/fake-clock.ts';
import { until } from '../../support/until.ts';
import { type Fake, fakePorts, put, room } from '../fake-ports.ts';

const folder = mkdtempSync(join(tmpdir(), 'imcd-fifo-'));
const opened: MiFifo[] = [];
after(() => {
  for (const fifo of opened) fifo.close();
  rmSync(folder, { recursive: true });
});

let made = 0;
const open = (clock: Clock = systemClock): { fifo: MiFifo; path: string; fake: Fake } => {
  made += 1;
  const path = join(folder, `fifo-${made}`);
  const fake = fakePorts();
  const log = logTo({ write: (line: string) => fake.lines.push(line) }, 'info');
  const dispatch = createMiDispatch(fake.ports, log, newMiCounters());
  const fifo = openMiFifo({ path, replyFolder: folder, dispatch, clock, log });
  opened.push(fifo);
  return { fifo, path, fake };
};

const request = (method: string, id: unknown = 1) => JSON.stringify({ jsonrpc: '2.0', method, id });

/** As opensips-cli does: makes the reply FIFO, opens and closes the FIFO once without data, writes, and then reads. */
const client = (path: string, text: string): Promise<string> => {
  made += 1;
  const name = `reply-${made}`;
  const script = `mkfifo "$1/$2" && : > "$3" && printf '%s' ":$2:$4" > "$3" && cat "$1/$2"; rm -f "$1/$2"`;
  const child = spawn('sh', ['-c', script, 'client', folder, name, path, text], { timeout: 20_000 });
  let out = '';
  child.stdout.setEncoding('utf8').on('data', (part) => {
    out += part;
  });
  return new Promise((resolve) => child.on('close', () => resolve(out)));
};

describe('framing of the FIFO', () => {
  let dropped = 0;
  const drop = () => {
    dropped += 1;
  };
  const names = (text: string) =>
    createFraming(() => undefined)
      .push(text)
      .map(({ reply }) => reply);
  it('ends a request where its JSON ends, whatever the pieces', () => {
    const text = `:a:${request('ps')}:b:{"x":"}\\"{"}\n:c:[1]`;
    const framing = createFraming(drop);
    const all = [...text].flatMap((character) => framing.push(character));
    assert.deepEqual(
      all.map(({ reply, json }) => [reply, json]),
      [
        ['a', request('ps')],
        ['b', '{"x":"}\\"{"}'],
        ['c', '[1]'],
      ],
    );
    assert.equal(framing.waiting(), false);
  });
  it('takes no reply name that leaves the folder', () => {
    for (const name of ['../x', '/etc/passwd', '.hidden', '', 'a/b', 'x'.repeat(250)])
      assert.deepEqual(names(`:${name}:{}`), [undefined], name);
    assert.deepEqual(names(':opensips_fifo_reply_1-2.3:{}'), ['opensips_fifo_reply_1-2.3']);
  });
  it('gives up what is too long or no request, and goes on after a pause', () => {
    const framing = createFraming(drop);
    assert.deepEqual(framing.push(`:a:{"x":"${'y'.repeat(70_000)}`), []);
    assert.deepEqual(framing.push('more'), []);
    assert.deepEqual(framing.stalled(), []);
    assert.equal(dropped, 1);
    assert.equal(framing.push('garbage\n:b:{}').length, 1);
    framing.push(':c:{"half');
    assert.deepEqual(
      framing.stalled().map(({ json }) => json),
      ['{"half'],
    );
  });
});

describe('MI over the FIFO', () => {
  it('answers as opensips-cli expects: one JSON text without newline', async () => {
    const { path } = open();
    const answer = await client(path, request('version', 'abc'));
    assert.equal(answer.at(-1), '}');
    const { id, result } = JSON.parse(answer);
    assert.equal(id, 'abc');
    assert.match(result.Server, /^imcd/);
  });

  it('answers many clients at once, and bad JSON with -32700', async () => {
    const { path } = open();
    const answers = await Promise.all([...Array(8).keys()].map((id) => client(path, request('pwd', id))));
    assert.deepEqual(
      answers.map((answer) => JSON.parse(answer).id),
      [...Array(8).keys()],
    );
    assert.equal(JSON.parse(await client(path, '{"jsonrpc":')).error.code, -32700);
    assert.equal(JSON.parse(await client(path, 'nonsense')).error.code, -32700);
  });

  it('writes a long answer whole', async () => {
    const { path, fake } = open();
    for (let i = 0; i < 5_000; i += 1) put(fake, room(`chat-${i}`, 'alice'));
    assert.equal(JSON.parse(await client(path, request('list_rooms'))).result.ROOMS.length, 5_000);
  });

  it('makes no answer without id', async () => {
    const { path, fifo } = open();
    writeFileSync(path, ':nobody:{"jsonrpc":"2.0","method":"ps"}');
    assert.equal(JSON.parse(await client(path, request('ps'))).id, 1);
    assert.deepEqual([fifo.counters.fifoGivenUp, fifo.counters.fifoRefused], [0, 0]);
  });

  it('writes through no symlink and into no plain file', async () => {
    const { path, fifo } = open();
    const target = join(folder, 'precious');
    writeFileSync(target, 'untouched');
    symlinkSync(target, join(folder, 'link'));
    writeFileSync(path, `:precious:${request('ps')}:link:${request('ps')}:missing:${request('ps')}`);
    await until('three are refused', () => fifo.counters.fifoRefused === 3);
    assert.equal(readFileSync(target, 'utf8'), 'untouched');
    assert.equal(existsSync(join(folder, 'missing')), false);
    spawnSync('mkfifo', [join(folder, 'real')]);
    symlinkSync(join(folder, 'real'), join(folder, 'link-to-fifo'));
    const reader = await openFile(join(folder, 'real'), 'r+');
    writeFileSync(path, `:link-to-fifo:${request('ps')}`);
    await until('a link to a FIFO is refused too', () => fifo.counters.fifoRefused === 4);
    await reader.close();
  });

  it('is blocked by no reply FIFO that nobody opens or reads', async () => {
    // Time stands still for what waits long; a client whose FIFO is not open yet is tried again as ever.
    const long = createFakeClock();
    const after: Clock['after'] = (ms, run) => (ms < 1_000 ? systemClock : long).after(ms, run);
    const { path, fifo, fake } = open({ ...long, after });
    for (let i = 0; i < 5_000; i += 1) put(fake, room(`chat-${i}`, 'alice'));
    spawnSync('mkfifo', [join(folder, 'unopened'), join(folder, 'unread')]);
    const held = openSync(join(folder, 'unread'), 'r+');
    writeFileSync(path, `:unopened:${request('ps')}:unread:${request('list_rooms')}`);
    assert.equal(JSON.parse(await client(path, request('ps'))).id, 1);
    assert.equal(fifo.counters.fifoGivenUp, 0, 'another client waited');
    long.advance(10_000);
    await until('both are given up', () => fifo.counters.fifoGivenUp === 2);
    closeSync(held);
  });

  it('takes the place of one that a killed server left, not of a live one and not of a file', () => {
    const stale = join(folder, 'stale');
    spawnSync('mkfifo', [stale]);
    const fake = fakePorts();
    const log = logTo({ write: () => true }, 'info');
    const dispatch = createMiDispatch(fake.ports, log, newMiCounters());
    const options = { replyFolder: folder, dispatch, clock: systemClock, log };
    const first = openMiFifo({ path: stale, ...options });
    assert.throws(() => openMiFifo({ path: stale, ...options }), /another program reads/);
    first.close();
    assert.equal(existsSync(stale), false);
    writeFileSync(stale, 'x');
    assert.throws(() => openMiFifo({ path: stale, ...options }), /is not a FIFO/);
    assert.equal(readFileSync(stale, 'utf8'), 'x');
    assert.throws(() => openMiFifo({ path: join(folder, 'no', 'where'), ...options }), /mkfifo/);
  });
});
