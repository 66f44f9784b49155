import { MemberUri, memberKey } from '../../../src/room/address.ts';
import type { Binding } from '../../../src/sip/registrar/binding.ts';
import type { BindingsFile } from '../../../src/sip/registrar/bindings-file.ts';
import { type Location, openLocation } from '../../../src/sip/registrar/location.ts';
import { registrarMetrics } from '../../../src/sip/registrar/metrics.ts';
import { createFakeClock, type FakeClock } from '../../support/fake-clock.ts';
import { quiet } from '../../support/world.ts';
import { readerOf, type Scene, type Story, story } from '../story.ts';
import type { Place } from './place.ts';

const full: BindingsFile = {
  load: () => [],
  write: () => {
    throw new Error('the disk is full');
  },
  close: () => {},
};

/** Alice registers for a minute, where the file is what it is. */
const registering = (file: BindingsFile | undefined, then: (clock: FakeClock) => void): Scene => {
  const clock = createFakeClock();
  const location: Location = openLocation({ clock, log: quiet, file });
  const alice = 'sip:alice@localhost';
  const registered: Binding = {
    contact: 'sip:a@192.0.2.7',
    identity: 'sip:a@192.0.2.7',
    callId: '1',
    cseq: 1,
    expires: clock.now() + 60_000,
    q: undefined,
    target: { transport: 'udp', host: '192.0.2.7', port: 5060 },
    fallback: undefined,
  };
  return {
    read: readerOf(registrarMetrics, location.counters),
    act: () => {
      if (MemberUri.is(alice)) location.replace(memberKey(alice), [registered], () => {});
      then(clock);
    },
  };
};

/** Stories of registrations. */
export const registrarStories = ({ read, user }: Place): readonly Story[] => [
  story('registrations', 'a user registers', () => ({ read, act: () => user('ann') })),
  story('registrations_expired_total', 'a minute passes', () =>
    registering(undefined, (clock) => clock.advance(62_000)),
  ),
  story('registrations_unwritten_total', 'the disk is full', () => registering(full, (clock) => clock.advance(1_000))),
];
