import type { Outgoing } from '../../ports/courier.ts';
import { type MemberKey, memberKey } from '../../room/address.ts';
import { countReason } from '../transport/transport.ts';
import { buildTail, type CopyTail, splitLines } from './bytes.ts';
import { Copy, type FanOut, type Handing } from './copy.ts';
import type { Device, Recipient } from './recipients.ts';
import { Result } from './result.ts';
import type { Routes } from './routes.ts';

/**
 * One message on its way to many. It begins the copies of its recipients when it is their turn, and knows when all of them
 * have left.
 */

/** RFC 3428 8, RFC 3261 18.1.1: a request longer than this goes over TCP where it can. */
const largestOverUdp = 1_300;

/** Does the request fit what may go by the device's transport? */
const isSmall = ({ destination, head }: Device, tail: CopyTail): boolean =>
  head.bytes.length + tail.bytes.length <= largestOverUdp || destination.reliable;

/** One message on its way to many. */
export class Delivering implements Handing {
  readonly fanOut: FanOut;
  readonly message: Outgoing;
  readonly recipients: readonly Recipient[];
  readonly except: MemberKey | undefined;
  #next = 0;
  /** Copies, and recipients, whose first transmission is still to come; 1 more until all recipients had their turn. */
  #left = 1;
  #tail: CopyTail | undefined;
  #assertedTail: CopyTail | undefined;

  constructor(fanOut: FanOut, message: Outgoing, recipients: readonly Recipient[]) {
    this.fanOut = fanOut;
    this.message = message;
    this.recipients = recipients;
    this.except = message.except === undefined ? undefined : memberKey(message.except);
  }

  get done(): boolean {
    return this.#next >= this.recipients.length;
  }

  /** Begins the copies of the next recipients, at most `most` of them; returns how many recipients had their turn. */
  beginSome(most: number, routes: Routes): number {
    const from = this.#next;
    const to = Math.min(from + most, this.recipients.length);
    for (let i = from; i < to; i += 1) {
      const recipient = this.recipients[i];
      if (recipient === undefined || recipient.key === this.except) continue;
      this.#left += 1;
      const devices = routes.devicesNow(recipient);
      if (devices !== undefined) this.#begin(recipient, devices);
      else routes.devicesLater(recipient, (found) => this.#begin(recipient, found));
    }
    this.#next = to;
    return to - from;
  }

  #begin(recipient: Recipient, devices: readonly Device[]): void {
    const { onDelivery } = this.message;
    const result = onDelivery === undefined ? undefined : new Result(recipient.uri, onDelivery);
    const [only] = devices;
    if (only === undefined) {
      countReason(this.fanOut.counters.failures, 'unroutable');
      result?.add(1);
      result?.end({ kind: 'failed', reason: 'unroutable' });
      this.handed();
      return;
    }
    if (devices.length === 1 && this.message.split === undefined) {
      // Nearly every copy of a large room: the recipient's share of `#left` becomes the copy's.
      result?.add(1);
      this.#copyTo(only, this.#tailFor(only), result).admit();
      return;
    }
    // All are counted before the first begins: one that fails at once is not yet the end of the recipient's delivery.
    const copies = devices.flatMap((device) =>
      this.#tailsFor(device).map((tail) => this.#copyTo(device, tail, result)),
    );
    result?.add(copies.length);
    this.#left += copies.length;
    for (const copy of copies) copy.admit();
    this.handed();
  }

  #copyTo(device: Device, tail: CopyTail, result: Result | undefined): Copy {
    if (isSmall(device, tail)) return new Copy(this, device, tail, result, undefined);
    const { fanOut } = this;
    if (device.destination.tcpMayWork(fanOut.clock.monotonic())) {
      fanOut.counters.largeOverTcp += 1;
      return new Copy(this, fanOut.overTcp(device), tail, result, device);
    }
    fanOut.counters.largeOverUdp += 1;
    return new Copy(this, device, tail, result, undefined);
  }

  /** One tail, or one for each part of a text that is to be cut. */
  #tailsFor(device: Device): readonly CopyTail[] {
    const tail = this.#tailFor(device);
    if (this.message.split === undefined || isSmall(device, tail)) return [tail];
    const room = largestOverUdp - device.head.bytes.length - (tail.bytes.length - this.message.body.length);
    return splitLines(this.message.body, room).map((body) => this.#build(body, device.trusted));
  }

  #tailFor(device: Device): CopyTail {
    if (device.trusted && this.message.assertedIdentity !== undefined) {
      this.#assertedTail ??= this.#build(this.message.body, true);
      return this.#assertedTail;
    }
    this.#tail ??= this.#build(this.message.body, false);
    return this.#tail;
  }

  #build(body: Uint8Array, asserted: boolean): CopyTail {
    const { userAgent, extraHeaders } = this.fanOut;
    return buildTail({ message: this.message, body, userAgent, extraHeaders, asserted });
  }

  /** All recipients had their turn. */
  settled(): void {
    this.handed();
  }

  /** A first transmission is over, one way or the other. */
  handed(): void {
    this.#left -= 1;
    if (this.#left === 0) this.message.onHandedOver?.();
  }

  /** Ends the recipients that had no turn yet. */
  giveUp(reason: string): void {
    for (const recipient of this.recipients.slice(this.#next)) {
      if (recipient.key === this.except) continue;
      countReason(this.fanOut.counters.failures, reason);
      this.message.onDelivery?.(recipient.uri, { kind: 'failed', reason });
    }
    this.#next = this.recipients.length;
    this.handed();
  }
}
