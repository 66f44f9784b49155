import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { imcd, jsonLines, lines } from '../support/imcd.ts';
import { folderWithLog } from './random-log.ts';

const { data, where, others } = await folderWithLog(13);
const into = (name: string) => ['--data', join(data, name), ...others];
const backup = join(data, 'backup.ndjson');

describe('imcd export', () => {
  it('and --restore bring the same log back, into an empty one only', async () => {
    const { out, err, code } = await imcd(['export', ...where]);
    assert.deepEqual([code, lines(out).length], [0, 300]);
    assert.match(err, /^300 events; the last position is \S+\n$/);
    writeFileSync(backup, out);
    const restored = await imcd(['export', '--restore', backup, ...into('copy')]);
    assert.deepEqual([restored.code, restored.err], [0, '300 events restored\n']);
    assert.equal((await imcd(['export', ...into('copy')])).out, out);
    const again = await imcd(['export', '--restore', backup, ...into('copy')]);
    assert.equal(again.code, 1);
    assert.match(again.err, /the log is not empty/);
    assert.equal((await imcd(['export', '--restore', '-', ...into('piped')], { input: out })).code, 0);
  });

  it('--since gives what came after', async () => {
    const all = (await imcd(['export', ...where])).out;
    const { position } = jsonLines(all)[199];
    const rest = await imcd(['export', '--since', position, ...where]);
    assert.equal(rest.out, `${lines(all).slice(200).join('\n')}\n`);
    assert.equal((await imcd(['export', '--since', 'x y', ...where])).code, 2);
    assert.equal((await imcd(['export', '--since', position, '--restore', backup, ...into('both')])).code, 2);
  });

  it('that is damaged is not restored, and the line is named', async () => {
    const all = readFileSync(backup, 'utf8');
    const cases: readonly (readonly [string, string, RegExp])[] = [
      ['cut', all.slice(0, -20), /is no JSON|middle of a line/],
      ['gap', `${lines(all).toSpliced(5, 1).join('\n')}\n`, /is the next\. Only an export of the whole log/],
      ['garbage', `${lines(all)[0]}\n{"x":1}\n`, /line 2 of .* is no event of an export/],
      ['foreign', '{"stream":"users-1","revision":0,"id":"x","type":"X","data":{},"metadata":{}}\n', /none of imcd/],
    ];
    for (const [name, text, message] of cases) {
      const file = join(data, `${name}.ndjson`);
      writeFileSync(file, text);
      const ended = await imcd(['export', '--restore', file, ...into(name)]);
      assert.equal(ended.code, 1, name);
      assert.match(ended.err, message, name);
    }
    const missing = await imcd(['export', '--restore', '/nowhere/x', ...into('missing')]);
    assert.match(missing.err, /\/nowhere\/x cannot be read/);
  });
});

describe('what reads the log', () => {
  it('writes nothing where there is none', async () => {
    for (const args of [['history', 'chat-1'], ['state'], ['export'], ['verify']]) {
      assert.equal((await imcd([...args, ...into('untouched')])).code, 1, args.join(' '));
    }
    assert.equal(existsSync(join(data, 'untouched')), false);
  });
});
