import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { NewEvent } from '../../src/ports/event-store.ts';
import { type ProjectionLimits, projectionLimits } from '../../src/projections/limits.ts';
import type { Emitted, PartitionOutcome, ProjectionEvent } from '../../src/projections/projection.ts';
import { openSandbox } from '../../src/projections/sandbox.ts';
import { roomPrefix } from '../../src/room/stream.ts';
import { systemClock } from '../../src/runtime/clock.ts';

/** Events of a story, written by hand: room, type, what happened, who asked, when. */
export type Told = readonly [
  room: string,
  type: string,
  data: object,
  actor?: string | undefined,
  time?: string,
  source?: string,
];

/** The story as it stands in the rooms' streams; ids are counted. */
export const story = (told: readonly Told[]): readonly { readonly stream: string; readonly event: NewEvent }[] =>
  told.map(([room, type, data, actor = 'sip:Alice@a.org', time = '2026-11-23T10:00:00.000Z', source = 'test'], n) => ({
    stream: `${roomPrefix}${room}@a.org`,
    event: {
      id: `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`,
      type,
      data: { room: `sip:${room}@a.org`, ...data },
      metadata: { $correlationId: `call-${n}`, $causationId: `call-${n}`, version: 1, actor, source, node: 'n1', time },
    },
  }));

export const asProjectionEvents = (events: ReturnType<typeof story>): readonly ProjectionEvent[] => {
  const revisions = new Map<string, number>();
  return events.map(({ stream, event }) => {
    const revision = (revisions.get(stream) ?? -1) + 1;
    revisions.set(stream, revision);
    const { id, type, data, metadata } = event;
    return { id, type, stream, revision, data: JSON.stringify(data), metadata: JSON.stringify(metadata) };
  });
};

/** What a projection in the sandbox comes to. */
export const runText = async (
  text: string,
  events: readonly ProjectionEvent[],
  limits: Partial<ProjectionLimits> = {},
): Promise<{ readonly emitted: readonly Emitted[]; readonly outcomes: readonly PartitionOutcome[] }> => {
  const sandbox = await openSandbox(text, systemClock, { ...projectionLimits, ...limits });
  try {
    const emitted = await sandbox.feed(events);
    const outcomes: PartitionOutcome[] = [];
    await sandbox.finish((some) => void outcomes.push(...some));
    return { emitted, outcomes };
  } finally {
    sandbox.stop();
  }
};

const folder = join(import.meta.dirname, '..', '..', 'projections');

/** The text of one of imcd's own projections. */
export const shipped = (name: string): string => readFileSync(join(folder, `${name}.js`), 'utf8');

/** A story with something for each of imcd's own projections; what they make of it stands in the tests, written by hand. */
export const everything: readonly Told[] = [
  ['chat-1', 'RoomCreated', { owner: 'sip:Alice@a.org', private: false, cause: 'create' }],
  ['chat-1', 'MemberJoined', { member: 'sip:bob@a.org' }, 'sip:bob@a.org', '2026-11-23T10:01:00.000Z'],
  [
    'chat-1',
    'MemberInvited',
    { member: 'sip:Carol@a.org', by: 'sip:Alice@a.org' },
    undefined,
    '2026-11-23T10:02:00.000Z',
  ],
  [
    'chat-2',
    'RoomCreated',
    { owner: 'sip:bob@a.org', private: true, cause: 'create' },
    'sip:bob@a.org',
    '2026-11-23T10:03:00.000Z',
  ],
  ['chat-1', 'InvitationAccepted', { member: 'sip:carol@a.org' }, 'sip:carol@a.org', '2026-11-23T10:04:00.000Z'],
  ['chat-1', 'MemberAdded', { member: 'sip:dave@a.org', by: 'operator:mi' }, 'operator:mi', '2026-11-23T23:59:59.999Z'],
  [
    'chat-1',
    'RoleChanged',
    { member: 'sip:bob@a.org', role: 'owner', by: 'sip:Alice@a.org' },
    undefined,
    '2026-11-24T00:00:00.000Z',
  ],
  [
    'chat-1',
    'MemberRemoved',
    { member: 'sip:dave@a.org', by: 'sip:bob@a.org' },
    'sip:bob@a.org',
    '2026-11-24T08:00:00.000Z',
  ],
  [
    'chat-2',
    'MemberInvited',
    { member: 'sip:eve@a.org', by: 'sip:bob@a.org' },
    'sip:bob@a.org',
    '2026-11-24T08:01:00.000Z',
  ],
  [
    'chat-2',
    'InvitationWithdrawn',
    { member: 'sip:eve@a.org', inviter: 'sip:bob@a.org', by: 'operator:imcd', cause: 'undeliverable' },
    'operator:imcd',
    '2026-11-24T08:01:30.000Z',
    'imcd',
  ],
  ['chat-2', 'RoomDestroyed', { by: 'sip:bob@a.org', cause: 'destroy' }, 'sip:bob@a.org', '2026-11-24T09:00:00.000Z'],
  [
    'chat-3',
    'RoomCreated',
    { owner: 'sip:frank@a.org', private: false, cause: 'import' },
    'operator:import',
    '2026-11-24T09:30:00.000Z',
    'import',
  ],
  ...(
    [
      ['chat-1', 'TopicChanged', { topic: 'sip:carol@a.org', by: 'sip:bob@a.org' }, 'sip:bob@a.org'],
      ['chat-1', 'MemberInvited', { member: 'sip:eve@a.org', by: 'sip:bob@a.org' }, 'sip:bob@a.org'],
      ['chat-1', 'InvitationDenied', { member: 'sip:eve@a.org', inviter: 'sip:bob@a.org' }, 'sip:eve@a.org'],
      ['chat-1', 'MemberExited', { member: 'sip:Alice@a.org' }, 'sip:Alice@a.org'],
      ['chat-3', 'TopicChanged', { topic: 'lunch', by: 'sip:frank@a.org' }, 'sip:frank@a.org'],
      ['chat-3', 'TopicChanged', { topic: '', by: 'sip:frank@a.org' }, 'sip:frank@a.org'],
    ] as const
  ).map((told): Told => [...told, '2026-11-24T10:00:00.000Z']),
];
