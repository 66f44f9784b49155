import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { inspect } from 'node:util';
import { Secret } from '../../src/config/secret.ts';
import { randomIds } from '../../src/runtime/ids.ts';
import { logTo } from '../../src/runtime/log.ts';

const capture = (level: 'debug' | 'info' = 'info') => {
  const lines: string[] = [];
  const log = logTo({ write: (line: string) => lines.push(line) }, level);
  return { log, lines, parsed: () => lines.map((line) => JSON.parse(line)) };
};

describe('the log', () => {
  it('writes one JSON line with time in UTC, level and fields', () => {
    const { log, parsed } = capture();
    log.info({ room: 'sip:chat-1@x', callId: 'a' }, 'joined');
    const [line] = parsed();
    assert.match(line.time, /^\d{4}-\d\d-\d\dT.*Z$/);
    assert.deepEqual(
      { ...line, time: '' },
      { level: 'info', time: '', room: 'sip:chat-1@x', callId: 'a', msg: 'joined' },
    );
  });

  it('changes its level while it runs', () => {
    const { log, parsed } = capture();
    log.debug({}, 'not seen');
    log.setLevel('debug');
    assert.equal(log.level(), 'debug');
    log.debug({}, 'seen');
    log.setLevel('error');
    log.warn({}, 'not seen');
    assert.deepEqual(
      parsed().map(({ msg }) => msg),
      ['seen'],
    );
  });

  it('shows control characters escaped and secrets hidden', () => {
    const { log, lines } = capture();
    const token = new Secret('hunter2-hunter2');
    log.info({ token }, `\u001b[2J${token} ${inspect(token)}`);
    assert.doesNotMatch(lines.join(''), /hunter2|\u001b/);
    assert.equal(JSON.parse(lines[0] ?? '').msg, '\\u001b[2J*** ***');
  });

  it('survives a stderr that nobody reads any more', () => {
    const script = `import { openLog } from ${JSON.stringify(join(import.meta.dirname, '../../src/runtime/log.ts'))};
      const log = await openLog('json', 'info');
      for (let i = 0; i < 20000; i += 1) log.info({ i }, 'x'.repeat(100));
      setTimeout(() => { log.info({}, 'y'); log.flush(); console.log('alive'); process.exit(0); }, 50);`;
    const closed = 'exec "$0" --input-type=module -e "$1" 2> >(exec true)';
    const child = spawnSync('bash', ['-c', closed, process.execPath, script], { encoding: 'utf8', timeout: 20_000 });
    assert.equal(child.stdout, 'alive\n');
  });
});

describe('ids', () => {
  it('tokens are 14 lower-case letters and digits and do not repeat', () => {
    const ids = randomIds();
    const tokens = new Set(Array.from({ length: 5_000 }, () => ids.token()));
    assert.equal(tokens.size, 5_000);
    for (const token of tokens) assert.match(token, /^[0-9a-z]{14}$/);
  });
});
