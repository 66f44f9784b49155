import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { component } from '../../support/component.ts';
import { temporaryFolder } from './temporary-log.ts';

describe('SQLite: durable', { timeout: 60_000, ...component('strace', 'strace') }, () => {
  it('has the WAL on the disk before it answers; a hundred appends at once share a few syncs', (t) => {
    const { folder, remove } = temporaryFolder();
    t.after(remove);
    const trace = join(folder, 'trace');
    const child = join(import.meta.dirname, 'one-by-one-child.ts');
    const program = [process.execPath, child, join(folder, 'log.db')];
    // -y: the file behind each descriptor is named.
    const options = ['-f', '-y', '-e', 'trace=fsync,fdatasync,write', '-o', trace];
    const run = spawnSync('strace', [...options, ...program], { encoding: 'utf8' });
    assert.equal(run.status, 0, run.stderr);

    const calls = readFileSync(trace, 'utf8');
    for (const what of ['0', '1', '2', 'many']) {
      const start = calls.indexOf(`"append ${what}\\n"`);
      const end = calls.indexOf(`"answer ${what}\\n"`);
      assert.ok(start > 0 && end > start, `append ${what} is not in the trace`);
      // A call that another thread interrupts in the trace is ended by a line of its own.
      const syncs = calls
        .slice(start, end)
        .split('\n')
        .filter((line) => /f(?:data)?sync\(.*log\.db-wal>/.test(line));
      assert.ok(syncs.length > 0, `append ${what} was answered before its WAL was synced`);
      if (what === 'many') assert.ok(syncs.length <= 10, `${syncs.length} syncs for a hundred appends at once`);
    }
  });
});
