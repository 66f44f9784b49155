import type { Delivery, Outgoing } from '../../ports/courier.ts';
import type { MemberUri } from '../../room/address.ts';

/** How a delivery went at all devices of one recipient. A 2xx at one of them is enough, and is told at once. */

export class Result {
  readonly #recipient: MemberUri;
  readonly #tell: NonNullable<Outgoing['onDelivery']>;
  #left = 0;
  #told = false;

  constructor(recipient: MemberUri, tell: NonNullable<Outgoing['onDelivery']>) {
    this.#recipient = recipient;
    this.#tell = tell;
  }

  /** So many copies more are to end. */
  add(copies: number): void {
    this.#left += copies;
  }

  /** A copy has ended. */
  end(delivery: Delivery): void {
    this.#left -= 1;
    if (this.#told || (this.#left > 0 && delivery.kind === 'failed')) return;
    this.#told = true;
    this.#tell(this.#recipient, delivery);
  }
}
