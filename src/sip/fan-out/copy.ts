import type { Clock } from '../../ports/clock.ts';
import type { Delivery, Outgoing } from '../../ports/courier.ts';
import type { MemberUri } from '../../room/address.ts';
import { branchLength } from '../transaction/branch.ts';
import type { ClientTransactions, TransactionUser } from '../transaction/client.ts';
import { countReason, type Transport } from '../transport/transport.ts';
import type { Tail } from './bytes.ts';
import {
  admit,
  answered,
  type Destination,
  deadLifetimeMs,
  isDead,
  mayRepeat,
  tcpFailed,
  unanswered,
  type Waiting,
  waiting,
} from './destination.ts';
import type { Pace } from './pace.ts';
import type { Device } from './recipients.ts';

export interface FanOutCounters {
  messages: number;
  /** First transmissions. */
  copies: number;
  delivered: number;
  /** Copies that failed, by status or reason. */
  readonly failures: Record<string, number>;
  /** Copies over 1,300 bytes that a UDP destination was sent by TCP. */
  largeOverTcp: number;
  /** Copies over 1,300 bytes that went by UDP all the same. */
  largeOverUdp: number;
  /** Timer E repetitions kept back from silent or dead destinations. */
  repetitionsSpared: number;
}

export const newFanOutCounters = (): FanOutCounters => ({
  messages: 0,
  copies: 0,
  delivered: 0,
  failures: {},
  largeOverTcp: 0,
  largeOverUdp: 0,
  repetitionsSpared: 0,
});

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
  readonly pace: Pace;
  /** The same device by way of TCP. */
  readonly overTcp: (device: Device) => Device;
}

/** The message that a copy is of. */
export interface Handing {
  readonly fanOut: FanOut;
  /** The copy's first transmission is over, one way or the other. */
  handed(): void;
}

/** How it went at all devices of a recipient: a 2xx at one of them is enough, and is told at once. */
export class Result {
  readonly #recipient: MemberUri;
  readonly #tell: NonNullable<Outgoing['onDelivery']>;
  #left = 0;
  #told = false;

  constructor(recipient: MemberUri, tell: NonNullable<Outgoing['onDelivery']>) {
    this.#recipient = recipient;
    this.#tell = tell;
  }

  add(devices: number): void {
    this.#left += devices;
  }

  end(delivery: Delivery): void {
    this.#left -= 1;
    if (this.#told || (this.#left > 0 && delivery.kind === 'failed')) return;
    this.#told = true;
    this.#tell(this.#recipient, delivery);
  }
}

/** Why a TCP attempt failed before anybody can have read the request. */
const didNotConnect = (reason: string): boolean =>
  reason === 'refused' || reason === 'unroutable' || reason === 'no-connection';

/** One MESSAGE to one device: the user of one client transaction (of a second one, where TCP did not connect). */
export class Copy implements TransactionUser, Waiting {
  readonly #message: Handing;
  readonly #tail: Tail;
  readonly #result: Result | undefined;
  #device: Device;
  /** Set while this is the attempt over TCP of a copy too large for UDP: where to go next. */
  #otherwise: Device | undefined;
  #handed = false;
  /** When it left last, as `pace` counts time. */
  #left = 0;

  constructor(message: Handing, device: Device, tail: Tail, result: Result | undefined, otherwise: Device | undefined) {
    this.#message = message;
    this.#device = device;
    this.#tail = tail;
    this.#result = result;
    this.#otherwise = otherwise;
  }

  /** Begins at the destination, now or when its window opens. */
  admit(): void {
    admit(this.#device.destination, this);
  }

  begin(): void {
    const { destination } = this.#device;
    destination.inFlight += 1;
    const lifetimeMs = isDead(destination) ? deadLifetimeMs : undefined;
    if (this.#message.fanOut.transactions.start(this, destination.reliable, lifetimeMs)) return;
    destination.inFlight -= 1;
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
    if (!mayRepeat(this.#device.destination, fanOut.clock.monotonic())) {
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
    answered(destination, fanOut.clock.monotonic());
    if (!destination.reliable) fanOut.pace.answered(this.#left);
    if (waiting(destination) > 0) fanOut.windowOpened(destination);
    if (status < 300) {
      fanOut.counters.delivered += 1;
      this.#result?.end({ kind: 'delivered' });
    } else this.#fails(String(status));
  }

  failed(reason: string): void {
    const { fanOut } = this.#message;
    const { destination } = this.#device;
    const otherwise = this.#otherwise;
    unanswered(destination, reason);
    if (waiting(destination) > 0) fanOut.windowOpened(destination);
    if (otherwise === undefined || !didNotConnect(reason)) {
      this.#fails(reason);
      return;
    }
    tcpFailed(otherwise.destination, fanOut.clock);
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
