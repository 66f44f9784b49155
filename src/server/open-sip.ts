import { join } from 'node:path';
import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import type { Config } from '../config/config.ts';
import type { MiPorts } from '../mi/ports.ts';
import { showTransportAddress, within } from '../net/address.ts';
import { memberOfKey } from '../room/address.ts';
import { version } from '../runtime/version.ts';
import { openBindingsFile } from '../sip/registrar/bindings-file.ts';
import { type Location, openLocation } from '../sip/registrar/location.ts';
import { createSipStack, type SipStack } from '../sip/stack.ts';
import { routingRuleOf } from './routing-rule.ts';
import { attempt, type Starting, type Step } from './starting.ts';

export interface OpenedSip {
  readonly stack: SipStack;
  readonly location: Location;
  /** Applies `trusted` to every request from now on. */
  readonly reload: (config: Config) => void;
}

/** The registered users and the SIP stack, as configured; nothing listens yet. Left: the bindings cannot be read. */
export const beginSip = (starting: Starting): Step<OpenedSip> =>
  pipe(
    attempt(() => openSip(starting)),
    TE.map((sip) => {
      starting.closers.defer('SIP', sip.stack.close);
      return sip;
    }),
  );

const openSip = ({ config, clock, ids, log }: Starting): OpenedSip => {
  let trusted = within(config.trusted);
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
    product: `imcd/${version()}`,
    listen: config.listen,
    rule: routingRuleOf(config),
    trusted: (address) => trusted(address),
    open: config.open,
    startChar: config.imc_cmd_start_char,
    maxMessageSize: config.max_message_size,
    advertise: config.advertise,
    outboundProxy: config.outbound_proxy,
    extraHeaders: config.extra_hdrs.join('\r\n'),
  });
  const reload: OpenedSip['reload'] = (next) => {
    trusted = within(next.trusted);
  };
  return { stack, location, reload };
};

/** Registrations as the management interface shows them: of one user, or of all. */
export const bindingsOf = (location: Location): MiPorts['bindings'] =>
  function* (user) {
    for (const key of user === undefined ? location.users() : [user]) {
      for (const { contact, expires, target } of location.bindingsOf(key)) {
        yield { user: memberOfKey(key), contact, expires, source: showTransportAddress(target) };
      }
    }
  };
