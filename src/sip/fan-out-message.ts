import type { Outgoing } from '../engine/ports.ts';
import { type MemberKey, memberKey } from '../room/address.ts';
import { tcpMayWork } from './destination.ts';
import { buildTail, splitLines, type Tail } from './fan-out-bytes.ts';
import { Copy, type FanOut, type Handing, Result } from './fan-out-copy.ts';
import type { Device, Recipient } from './fan-out-recipients.ts';
import type { Routes } from './fan-out-routes.ts';
import { count } from './transport/transport.ts';

/** RFC 3428 8, RFC 3261 18.1.1: a request longer than this goes over TCP where it can. */
const largestOverUdp = 1_300;

/** One message on its way to many. */
export class Delivering implements Handing {
  readonly fanOut: FanOut;
  readonly message: Outgoing;
  readonly recipients: readonly Recipient[];
  readonly except: MemberKey | undefined;
  #next = 0;
  /** Copies, and recipients, whose first transmission is still to come; 1 more until all recipients had their turn. */
  #left = 1;
  #tail: Tail | undefined;
  #assertedTail: Tail | undefined;

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
    if (devices.length === 0) {
      count(this.fanOut.counters.failures, 'unroutable');
      result?.add(1);
      result?.end({ kind: 'failed', reason: 'unroutable' });
    }
    // All are counted before the first begins: one that fails at once is not yet the end of the recipient's delivery.
    const copies: Copy[] = [];
    for (const device of devices) this.#copiesTo(device, result, copies);
    result?.add(copies.length);
    this.#left += copies.length;
    for (const copy of copies) copy.admit();
    this.handed();
  }

  #copiesTo(device: Device, result: Result | undefined, copies: Copy[]): void {
    const tail = this.#tailFor(device);
    const overUdp = device.destination.target.transport === 'udp';
    if (!overUdp || device.head.bytes.length + tail.bytes.length <= largestOverUdp) {
      copies.push(new Copy(this, device, tail, result, undefined));
      return;
    }
    if (this.message.split === 'lines') {
      const room = largestOverUdp - device.head.bytes.length - (tail.bytes.length - this.message.body.length);
      for (const body of splitLines(this.message.body, room)) {
        copies.push(new Copy(this, device, this.#build(body, device.trusted), result, undefined));
      }
      return;
    }
    const { fanOut } = this;
    if (tcpMayWork(device.destination, fanOut.clock)) {
      fanOut.counters.largeOverTcp += 1;
      copies.push(new Copy(this, fanOut.overTcp(device), tail, result, device));
    } else {
      fanOut.counters.largeOverUdp += 1;
      copies.push(new Copy(this, device, tail, result, undefined));
    }
  }

  #tailFor(device: Device): Tail {
    if (device.trusted && this.message.assertedIdentity !== undefined) {
      this.#assertedTail ??= this.#build(this.message.body, true);
      return this.#assertedTail;
    }
    this.#tail ??= this.#build(this.message.body, false);
    return this.#tail;
  }

  #build(body: Uint8Array, asserted: boolean): Tail {
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
      count(this.fanOut.counters.failures, reason);
      this.message.onDelivery?.(recipient.uri, { kind: 'failed', reason });
    }
    this.#next = this.recipients.length;
    this.handed();
  }
}
