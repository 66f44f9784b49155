import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { runFile } from './file.ts';

const root = mkdtempSync(join(tmpdir(), 'imcd-runner-'));
after(() => rmSync(root, { recursive: true, force: true }));

const head = `import { spawn } from 'node:child_process';
import { after, describe, it } from 'node:test';
import assert from 'node:assert/strict';
// Nothing of the marks is left to this one: an environment of its own, a group of its own.
const child = (detached) => spawn('sleep', ['600'], { detached, stdio: 'inherit', env: { PATH: process.env.PATH } });
`;
const ran = (name: string, text: string, mostMs = 60_000) => {
  writeFileSync(join(root, `${name}.mjs`), head + text);
  return runFile(`${name}.mjs`, root, mostMs);
};
// A zombie has ended: whoever inherited it has not asked for its exit code.
const lives = (pid: number): boolean =>
  /^[^Z]/.test(spawnSync('ps', ['-o', 'stat=', '-p', String(pid)], { encoding: 'utf8' }).stdout.trim());

describe('the runner of test files', () => {
  it('counts tests, and names what failed and what was skipped, whole suites too', async () => {
    const outcome = await ran(
      'counts',
      `describe('a suite', () => {
         it('passes', () => {});
         it('fails', () => assert.equal(1, 2));
         it.skip('is left out', () => {});
       });
       describe('needs a server', { skip: 'no server here' }, () => it('asks it', () => {}));
       it('is for later', { todo: 'not yet' }, () => {});`,
    );
    assert.equal(outcome.passed, 1);
    assert.deepEqual(outcome.failed, ['counts.mjs: fails']);
    assert.deepEqual(outcome.skipped.map((line) => line.split(': ').slice(1).join(': ')).sort(), [
      'is for later: not yet',
      'is left out',
      'needs a server: no server here',
    ]);
    assert.match(outcome.output, /1 !== 2/);
  });

  it('fails a file that cannot be loaded, or ends by itself', async () => {
    assert.equal((await ran('broken', 'import "./nowhere.mjs";')).failed.length, 1);
    const ended = await ran('ended', `it('never gets there', () => process.exit(3));`);
    assert.deepEqual(ended.failed, ['ended.mjs: the file ended with 3']);
  });

  it('ends a file over its time with all that it started, and says what it waited for', async () => {
    const outcome = await ran(
      'hangs',
      `describe('a story', () => {
         it('is told', () => {});
         it('waits for ever', async () => {
           const one = child(false); const two = child(true);
           console.log('pids', one.pid, two.pid);
           await new Promise((resolve) => setTimeout(resolve, 600_000));
         });
       });`,
      8_000,
    );
    const [line = ''] = outcome.failed;
    assert.equal(outcome.failed.length, 1);
    assert.match(
      line,
      /^hangs\.mjs: ended after 8 s; it was in: a story > waits for ever; it had running: \d+ sleep 600; \d+ sleep 600$/,
    );
    const pids = (/pids (\d+) (\d+)/.exec(outcome.output) ?? []).slice(1).map(Number);
    assert.equal(pids.length, 2);
    assert.deepEqual(pids.filter(lives), []);
  });

  it('ends what a file leaves behind, and names it', async () => {
    const outcome = await ran(
      'leaves',
      `it('passes', () => { const one = child(false); one.unref(); console.log('pid', one.pid); });`,
    );
    assert.deepEqual([outcome.passed, outcome.failed], [1, []]);
    assert.match(outcome.output, /leaves\.mjs left running: \d+ sleep 600/);
    assert.equal(lives(Number(/pid (\d+)/.exec(outcome.output)?.[1])), false);
  });
});
