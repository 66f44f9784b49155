import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import fc from 'fast-check';
import { isResponse } from '../../../src/sip/message/status-line.ts';
import { branchCookie, branchLength, createBranches } from '../../../src/sip/transaction/branch.ts';
import { ClientTransactions, type TransactionUser } from '../../../src/sip/transaction/client.ts';
import { createTimerWheel } from '../../../src/sip/transaction/timers.ts';
import { createFakeClock, type FakeClock } from '../../support/fake-clock.ts';
import { countingIds } from '../../support/world.ts';

/** A user that writes down what it was told, and when. */
class Recorder implements TransactionUser {
  readonly sent: number[] = [];
  readonly ended: string[] = [];
  slot = -1;
  branch = '';
  readonly #clock: FakeClock;
  readonly #transactions: ClientTransactions;

  constructor(clock: FakeClock, transactions: ClientTransactions) {
    this.#clock = clock;
    this.#transactions = transactions;
  }

  transmit(slot: number): boolean {
    this.slot = slot;
    this.sent.push(this.#clock.monotonic());
    const unique = Buffer.alloc(branchLength);
    this.#transactions.writeUnique(slot, unique, 0);
    this.branch = branchCookie + unique.toString('latin1');
    return true;
  }
  answered(status: number): void {
    this.ended.push(`${status} at ${this.#clock.monotonic()}`);
  }
  failed(reason: string): void {
    this.ended.push(`${reason} at ${this.#clock.monotonic()}`);
  }
}

const response = (status: number | string, branch: string): Buffer =>
  Buffer.from(`SIP/2.0 ${status} Reason\r\nVia: SIP/2.0/UDP 192.0.2.1:5060;rport;branch=${branch}\r\n\r\n`);

describe('a non-INVITE client transaction (RFC 3261 17.1.2)', () => {
  let clock: FakeClock;
  let transactions: ClientTransactions;
  let user: Recorder;
  beforeEach(() => {
    clock = createFakeClock();
    transactions = new ClientTransactions({ clock, ids: countingIds(), limit: 8 });
    user = new Recorder(clock, transactions);
  });

  /** Each time is the RFC's, or at most one tick of the wheel later than the sum of ticks before. */
  const near = (found: readonly number[], wanted: readonly number[]): void => {
    assert.equal(found.length, wanted.length, `${found}`);
    found.forEach((time, i) => {
      const at = wanted[i] ?? 0;
      assert.ok(time >= at && time <= at + 50, `${time} is not ${at}`);
    });
  };

  it('repeats at T1, then doubling, then each T2 (Timer E), and gives up after 64*T1 (Timer F)', () => {
    transactions.start(user, false);
    clock.advance(60_000);
    near(user.sent, [0, 500, 1_500, 3_500, 7_500, 11_500, 15_500, 19_500, 23_500, 27_500, 31_500]);
    assert.match(user.ended.join(), /^timeout at 320(00|25|50)$/);
    assert.equal(transactions.pending(), 0);
  });

  it('repeats nothing over a stream', () => {
    transactions.start(user, true);
    clock.advance(60_000);
    assert.deepEqual(user.sent, [0]);
    assert.match(user.ended.join(), /^timeout at 320/);
  });

  it('keeps to a shorter life where told', () => {
    transactions.start(user, false, 4_000);
    clock.advance(60_000);
    near(user.sent, [0, 500, 1_500, 3_500]);
    assert.match(user.ended.join(), /^timeout at 40/);
  });

  it('goes on with T2 after a provisional answer', () => {
    transactions.start(user, false);
    clock.advance(100);
    assert.equal(transactions.response(response(100, user.branch)), true);
    clock.advance(12_000);
    near(user.sent, [0, 500, 4_500, 8_500]);
    assert.deepEqual(user.ended, []);
  });

  it('ends with the final answer, and forgets at once: the same answer again belongs to nobody', () => {
    transactions.start(user, false);
    clock.advance(40);
    assert.equal(transactions.response(response(486, user.branch)), true);
    assert.equal(transactions.response(response(486, user.branch)), false);
    clock.advance(60_000);
    assert.deepEqual(user.sent, [0]);
    assert.deepEqual(user.ended, ['486 at 40']);
    assert.equal(transactions.counters.strayResponses, 1);
  });

  it('gives a slot that is free again to a new branch, and a late answer to nobody', () => {
    transactions.start(user, false);
    const { branch, slot } = user;
    transactions.response(response(200, branch));
    const next = new Recorder(clock, transactions);
    transactions.start(next, false);
    assert.equal(next.slot, slot);
    assert.notEqual(next.branch, branch);
    assert.equal(transactions.response(response(200, branch)), false);
    assert.deepEqual(next.ended, []);
  });

  it('cannot be answered by one who guesses the branch', () => {
    transactions.start(user, false);
    const forged = `${user.branch.slice(0, -1)}${user.branch.endsWith('a') ? 'b' : 'a'}`;
    assert.equal(transactions.response(response(200, forged)), false);
    assert.deepEqual(user.ended, []);
  });

  it('takes what is no status for no answer', () => {
    transactions.start(user, false);
    for (const status of ['099', '0x0', '2 0', '999', '   ']) transactions.response(response(status, user.branch));
    assert.deepEqual(user.ended, []);
  });

  it('ends with what the transport said, once, and not for another user of the slot', () => {
    transactions.start(user, false);
    transactions.fail(user.slot, new Recorder(clock, transactions), 'refused');
    assert.deepEqual(user.ended, []);
    transactions.fail(user.slot, user, 'refused');
    transactions.fail(user.slot, user, 'refused');
    assert.deepEqual(user.ended, ['refused at 0']);
  });

  it('begins no more than its limit', () => {
    for (let i = 0; i < 8; i += 1) assert.equal(transactions.start(new Recorder(clock, transactions), false), true);
    assert.equal(transactions.start(user, false), false);
    assert.deepEqual(user.sent, []);
    assert.equal(transactions.counters.overflows, 1);
  });

  it('ends all at close', () => {
    transactions.start(user, false);
    transactions.close();
    assert.deepEqual(user.ended, ['closed at 0']);
    clock.advance(60_000);
    assert.deepEqual(user.sent, [0]);
  });

  it('survives any bytes as a response', () => {
    transactions.start(user, false);
    const pieces = fc.constantFrom(
      'SIP/2.0 200 ',
      user.branch,
      user.branch.slice(0, 20),
      branchCookie,
      '\r\n',
      'Via: ',
    );
    fc.assert(
      fc.property(fc.array(fc.oneof(pieces, fc.string()), { maxLength: 6 }), (parts) => {
        const bytes = Buffer.from(parts.join(''));
        transactions.response(bytes);
        isResponse(bytes);
      }),
    );
  });
});

describe('the timer wheel', () => {
  it('fires what a sorted list would, in its tick', () => {
    const step = fc.oneof(
      fc.record({ kind: fc.constant('set' as const), slot: fc.nat(7), ticks: fc.integer({ min: 1, max: 31 }) }),
      fc.record({ kind: fc.constant('cancel' as const), slot: fc.nat(7), ticks: fc.constant(0) }),
      fc.record({ kind: fc.constant('tick' as const), slot: fc.constant(0), ticks: fc.constant(0) }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        const wheel = createTimerWheel(8, 32);
        const model = new Map<number, number>();
        let now = 0;
        for (const { kind, slot, ticks } of steps) {
          if (kind === 'set') {
            wheel.set(slot, ticks);
            model.set(slot, now + ticks);
          } else if (kind === 'cancel') {
            wheel.cancel(slot);
            model.delete(slot);
          } else {
            now += 1;
            const fired: number[] = [];
            wheel.tick((due) => fired.push(due));
            const wanted = [...model].filter(([, at]) => at === now).map(([due]) => due);
            for (const due of wanted) model.delete(due);
            assert.deepEqual(fired.sort(), wanted.sort());
          }
          assert.equal(wheel.pending(), model.size);
        }
      }),
    );
  });
});

describe('a branch', () => {
  it('is read back as it was written, and is nobody else’s', () => {
    const ours = createBranches(countingIds());
    const theirs = createBranches({ ...countingIds(), token: () => 'other0000000000' });
    fc.assert(
      fc.property(fc.nat((1 << 20) - 1), fc.nat((1 << 30) - 1), (slot, count) => {
        const bytes = Buffer.from(`SIP/2.0 200 OK\r\nVia: x;branch=${branchCookie}${'x'.repeat(branchLength)}\r\n`);
        ours.write(bytes, bytes.length - branchLength - 2, slot, count);
        const at = ours.find(bytes);
        assert.equal(ours.slotAt(bytes, at), slot);
        assert.equal(ours.isOf(bytes, at, count), true);
        assert.equal(ours.isOf(bytes, at, (count + 1) & 0x3fffffff), false);
        assert.equal(theirs.find(bytes), -1);
      }),
    );
  });
});
