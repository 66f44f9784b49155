import { join } from 'node:path';
import type { Config } from '../config/config.ts';
import type { MiPorts } from '../mi/ports.ts';
import { showTransportAddress } from '../net/address.ts';
import type { Clock } from '../ports/clock.ts';
import type { Ids } from '../ports/ids.ts';
import type { Log } from '../ports/log.ts';
import { memberOfKey } from '../room/address.ts';
import { openBindingsFile } from '../sip/registrar/bindings-file.ts';
import { type Location, openLocation } from '../sip/registrar/location.ts';
import { createSipStack, type SipStack } from '../sip/stack.ts';

export interface SipPorts {
  readonly clock: Clock;
  readonly ids: Ids;
  readonly log: Log;
  /** `imcd/VERSION`. */
  readonly product: string;
  /** Is this IP address one of the trusted? Asked for every request, so that a reload may change it. */
  readonly trusted: (address: string) => boolean;
}

/** The registered users and the SIP stack, as configured; nothing listens yet. Throws a sentence where the bindings cannot be read. */
export const openSip = (
  config: Config,
  { clock, ids, log, product, trusted }: SipPorts,
): { stack: SipStack; location: Location } => {
  const failed = (error: Error): void =>
    log.warn(
      { error: error.message },
      'the thread that keeps the registrations small has failed; SIP may wait for the disk',
    );
  const location = openLocation({ clock, log, file: openBindingsFile(join(config.data, 'bindings.db'), failed) });
  const stack = createSipStack({
    clock,
    ids,
    log,
    location,
    product,
    listen: config.listen,
    rule: {
      domains: new Set(config.domains.map((domain) => domain.toLowerCase())),
      manager: config.manager,
      rooms: config.rooms,
    },
    trusted,
    open: config.open,
    startChar: config.imc_cmd_start_char.charAt(0),
    maxMessageSize: config.max_message_size,
    ...(config.advertise === undefined ? {} : { advertise: config.advertise }),
    ...(config.outbound_proxy === undefined ? {} : { outboundProxy: config.outbound_proxy.uri }),
    ...(config.extra_hdrs.length === 0 ? {} : { extraHeaders: config.extra_hdrs.join('\r\n') }),
  });
  return { stack, location };
};

/** Registrations as the management interface shows them: of one user, or of all. */
export const bindingsOf = (location: Location): MiPorts['bindings'] =>
  function* (user) {
    for (const key of user === undefined ? location.users() : [user]) {
      for (const { contact, expires, target } of location.registered(key)) {
        yield { user: memberOfKey(key), contact, expires, source: showTransportAddress(target) };
      }
    }
  };
