import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { stateJson } from '../../src/mi/event-json.ts';
import { imcd, jsonLines } from '../support/imcd.ts';
import { folderWithLog, type Step } from './random-log.ts';

const { steps, where } = await folderWithLog(11);
const of = (room: string) => steps.filter(({ key }) => key === `${room}@example.org`);
const shown = ({ after, revision }: Step) => stateJson(BigInt(revision), after);

describe('imcd state', () => {
  it('agrees with the domain’s own evolve at revisions all over a random log', async () => {
    for (const step of of('chat-1').filter((_, index) => index % 7 === 0)) {
      const { code, out } = await imcd(['state', 'chat-1', '--revision', String(step.revision), '--json', ...where]);
      assert.equal(code, step.after === undefined ? 1 : 0);
      assert.deepEqual(jsonLines(out)[0] ?? null, shown(step));
    }
  });

  it('agrees at times and positions, of one room and of all', async () => {
    const history = jsonLines((await imcd(['history', 'chat-2', '--json', ...where])).out);
    for (const at of [40, 150, 299]) {
      const time = steps[at]?.time ?? '';
      const last = new Map<string, Step>(steps.slice(0, at + 1).map((step) => [step.key, step]));
      const living = [...last.values()].filter(({ after }) => after !== undefined).map(shown);
      const byRoom = (states: readonly unknown[]) =>
        states.map((state) => Object(state)).sort((a, b) => a.room.localeCompare(b.room));
      const all = await imcd(['state', '--at', time, '--json', ...where]);
      assert.deepEqual(byRoom(jsonLines(all.out)), byRoom(living));
      const one = await imcd(['state', 'chat-2', '--at', time, '--json', ...where]);
      const then = last.get('chat-2@example.org');
      assert.deepEqual(jsonLines(one.out)[0] ?? null, then === undefined ? null : shown(then));
      const position = history.findLast((event) => event.time <= time)?.position;
      const byPosition = await imcd(['state', 'chat-2', '--position', position, '--json', ...where]);
      assert.equal(byPosition.out, one.out);
    }
    const early = await imcd(['state', '--at', '2020-01-01 00:00', ...where]);
    assert.deepEqual([early.code, early.out], [0, '']);
  });

  it('shows a table to people', async () => {
    const step = of('chat-1').findLast(({ after }) => after !== undefined);
    const { out } = await imcd(['state', 'chat-1', '--revision', String(step?.revision), ...where]);
    assert.match(
      out,
      /^sip:chat-1@example\.org, (public|private), revision \d+, \d+ members and invited\n(topic: .+\n)?ROLE +MEMBER +SINCE\n/,
    );
    for (const topic of ['', '\u043e\u0431\u0435\u0434']) {
      const { revision } = of('chat-1').find(({ after }) => after?.topic === topic) ?? assert.fail();
      const shown = await imcd(['state', 'chat-1', '--revision', String(revision), ...where]);
      assert.equal(/^topic: (.*)$/m.exec(shown.out)?.[1] ?? '', topic);
    }
    const all = await imcd(['state', ...where]);
    assert.match(all.out, /^ROOM +REV +MEMBERS +OWNER +KIND\n/);
  });

  it('says what is wrong', async () => {
    const cases: readonly (readonly [readonly string[], number, RegExp])[] = [
      [['state', '--revision', '1'], 2, /name the room too/],
      [['state', 'chat-1', '--revision', '1', '--at', '-2h'], 2, /only one of --at and --revision/],
      [['state', 'chat-1', '--position', 'nonsense'], 2, /is no position of this log/],
      [['state', 'chat-77'], 1, /did not exist/],
    ];
    for (const [args, code, message] of cases) {
      const ended = await imcd([...args, ...where]);
      assert.equal(ended.code, code, `${args.join(' ')}: ${ended.err}`);
      assert.match(ended.err, message);
    }
  });
});
