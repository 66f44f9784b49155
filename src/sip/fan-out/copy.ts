import type { Clock } from '../../ports/clock.ts';
import { branchLength } from '../transaction/branch.ts';
import type { ClientTransactions, TransactionUser } from '../transaction/client.ts';
import { countReason, type Transport } from '../transport/transport.ts';
import type { CopyTail } from './bytes.ts';
import type { FanOutCounters } from './counters.ts';
import type { Destination, Waiting } from './destination.ts';
import type { Device } from './recipients.ts';
import type { Result } from './result.ts';
import type { UdpPace } from './udp-pace.ts';

/**
 * One copy of a message: a MESSAGE to one device. It is the user of one client transaction, and of a second one where TCP did
 * not connect.
 */

/** What copies need of the courier that made them. */
export interface FanOut {
  readonly clock: Clock;
  readonly transactions: ClientTransactions;
  readonly send: Transport['send'];
  readonly counters: FanOutCounters;
  readonly userAgent: string;
  readonly extraHeaders: string;
  readonly repeatLater: (copy: Copy, slot: number) => void;
  /** A transaction to a destination with waiting copies has ended. */
  readonly windowOpened: (destination: Destination) => void;
  readonly pace: UdpPace;
  /** The same device by way of TCP. */
  readonly overTcp: (device: Device) => Device;
}

/** The message that a copy is of. */
export interface Handing {
  readonly fanOut: FanOut;
  /** The copy's first transmission is over, one way or the other. */
  handed(): void;
}

/** Why a TCP attempt failed before anybody can have read the request. */
const didNotConnect = (reason: string): boolean =>
  reason === 'refused' || reason === 'unroutable' || reason === 'no-connection';

/** Begins when its destination lets it, and tells its message, its recipient's result and the counters how it went. */
export class Copy implements TransactionUser, Waiting {
  readonly #message: Handing;
  readonly #tail: CopyTail;
  readonly #result: Result | undefined;
  #device: Device;
  /** Set while this is the attempt over TCP of a copy too large for UDP: where to go next. */
  #otherwise: Device | undefined;
  #handed = false;
  /** When it left last, as `pace` counts time. */
  #left = 0;

  constructor(
    message: Handing,
    device: Device,
    tail: CopyTail,
    result: Result | undefined,
    otherwise: Device | undefined,
  ) {
    this.#message = message;
    this.#device = device;
    this.#tail = tail;
    this.#result = result;
    this.#otherwise = otherwise;
  }

  /** Begins at the destination, now or when its window opens. */
  admit(): void {
    this.#device.destination.admit(this);
  }

  begin(): void {
    const { destination } = this.#device;
    const { reliable, lifetimeMs } = destination;
    destination.begun();
    if (this.#message.fanOut.transactions.start(this, reliable, lifetimeMs)) return;
    destination.notBegun();
    this.giveUp('overflow');
  }

  transmit(slot: number, again: boolean): boolean {
    const { fanOut } = this.#message;
    if (!again) {
      fanOut.counters.copies += 1;
      this.#write(slot);
      this.#hand();
      return true;
    }
    if (!this.#device.destination.mayRepeat(fanOut.clock.monotonic())) {
      fanOut.counters.repetitionsSpared += 1;
      return false;
    }
    fanOut.repeatLater(this, slot);
    return true;
  }

  /** Timer E's repetition, in its slice. */
  repeat(slot: number): void {
    if (this.#message.fanOut.transactions.isUser(slot, this)) this.#write(slot);
  }

  #write(slot: number): void {
    const { transactions, send, pace } = this.#message.fanOut;
    const { head, destination } = this.#device;
    const { reliable } = destination;
    if (!reliable) this.#left = pace.sent();
    const { bytes, branchAt } = head;
    const tail = this.#tail;
    transactions.writeUnique(slot, bytes, branchAt);
    for (let i = 0; i < branchLength; i += 1) {
      const character = bytes[branchAt + i] ?? 0;
      tail.bytes[tail.tagAt + i] = character;
      tail.bytes[tail.callIdAt + i] = character;
    }
    // Over UDP, and where answers come, a failed send is left to Timer E to notice: that saves 1.1 us of 5 us a copy.
    const careless = destination.proven && !reliable;
    const onFailure = careless ? undefined : (reason: string) => transactions.fail(slot, this, reason);
    if (send(destination.target, bytes, tail.bytes, onFailure)) return;
    // The transport holds on to these bytes; the next copy is written into others.
    head.bytes = Buffer.from(bytes);
    tail.bytes = Buffer.from(tail.bytes);
  }

  answered(status: number): void {
    const { fanOut } = this.#message;
    const { destination } = this.#device;
    destination.answered(fanOut.clock.monotonic());
    if (!destination.reliable) fanOut.pace.answered(this.#left);
    if (destination.waiting > 0) fanOut.windowOpened(destination);
    if (status < 300) {
      fanOut.counters.delivered += 1;
      this.#result?.end({ kind: 'delivered' });
    } else this.#fails(String(status));
  }

  failed(reason: string): void {
    const { fanOut } = this.#message;
    const { destination } = this.#device;
    const otherwise = this.#otherwise;
    destination.failed(reason);
    if (destination.waiting > 0) fanOut.windowOpened(destination);
    if (otherwise === undefined || !didNotConnect(reason)) {
      this.#fails(reason);
      return;
    }
    otherwise.destination.tcpFailed(fanOut.clock.monotonic());
    fanOut.counters.largeOverUdp += 1;
    this.#device = otherwise;
    this.#otherwise = undefined;
    this.admit();
  }

  giveUp(reason: string): void {
    this.#hand();
    this.#fails(reason);
  }

  #hand(): void {
    if (this.#handed) return;
    this.#handed = true;
    this.#message.handed();
  }

  #fails(reason: string): void {
    countReason(this.#message.fanOut.counters.failures, reason);
    this.#result?.end({ kind: 'failed', reason });
  }
}
