import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { dashboard, dashboardText } from '../../scripts/grafana.ts';
import { countAppend, createEngineCounters } from '../../src/engine/counters.ts';
import { engineMetrics, followMetrics } from '../../src/engine/metrics.ts';
import { createMetrics } from '../../src/metrics/registry.ts';
import { miMetrics } from '../../src/mi/metrics.ts';
import { metricsIn, type RunningMetric } from '../../src/ports/metric.ts';
import { createCensus } from '../../src/read-models/census.ts';
import { roomMetrics } from '../../src/read-models/metrics.ts';
import { createRooms } from '../../src/read-models/rooms.ts';
import { roomKey } from '../../src/room/address.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { logMetrics, processMetrics } from '../../src/runtime/metrics.ts';
import { components } from '../../src/server/metrics.ts';
import { newFanOutCounters } from '../../src/sip/fan-out/counters.ts';
import { sipMetrics } from '../../src/sip/metrics.ts';
import { mirrorMetrics } from '../../src/sql/mirror/metrics.ts';
import { newStoreCounters } from '../../src/store/counters.ts';
import { newEventStoreDbCounters } from '../../src/store/eventstoredb/counters.ts';
import { eventStoreDbMetrics } from '../../src/store/eventstoredb/metrics.ts';
import { storeMetrics } from '../../src/store/metrics.ts';
import { room } from '../mi/fake-ports.ts';

const rooms = createRooms(4);
const one = room('chat-1', 'alice', 'bob', '?carol');
rooms.load({ key: roomKey(one.uri), revision: 0, room: one });
const counters = createEngineCounters();
counters.commands.JoinRoom = 3;
counters.commands.CreateRoom = 1;
counters.chatMessages = 9;
for (const seconds of [0.0001, 0.003, 0.003, 99]) countAppend(counters, seconds);
const failures: Record<string, number> = { timeout: 2 };
const fanOut = { ...newFanOutCounters(), copies: 20, delivered: 18, failures };
const sip = {
  courier: { send: () => {}, close: () => {}, counters: fanOut, queueDepth: () => 6 },
  counters: {
    malformed: 1,
    garbage: 0,
    keepAlives: 0,
    defects: 0,
    stopping: 0,
    server: {
      requests: 5,
      retransmissions: 0,
      absorbed: 0,
      merged: 0,
      overflows: 0,
      unsent: 0,
      tooLate: 0,
      answers: { 'MESSAGE 200': 4, 'REGISTER 403': 1 },
    },
    client: {
      started: 0,
      answered: 0,
      failures: 0,
      timeouts: 0,
      retransmissions: 7,
      overflows: 0,
      strayResponses: 0,
    },
    fanOut,
    location: { bindings: 2, changes: 0, expired: 0, failures: 0 },
    log: { linesSuppressed: 0 },
    transports: { udp: { received: 11, sent: 12, dropped: { short: 1 }, failures: { EPERM: 2 }, connections: 0 } },
  },
  depths: () => ({ serverPending: 1, serverKept: 2, clientPending: 3 }),
};
const mirror = {
  counters: { eventsWritten: 1, transactions: 1, retries: 0, connectionsLost: 0, missingRows: 0, stops: 0 },
  status: () => ({ lagSeconds: 0.5, pendingEvents: 2 }),
};
const running: readonly RunningMetric[] = [
  ...metricsIn(roomMetrics, () => ({ rooms, census: createCensus(rooms, systemClock) })),
  ...metricsIn(engineMetrics, () => ({ counters, queued: () => 4 })),
  ...metricsIn(followMetrics, () => ({ lagSeconds: () => 0 })),
  ...metricsIn(storeMetrics, () => ({ counters: newStoreCounters(), pendingAppends: () => 0 })),
  ...metricsIn(eventStoreDbMetrics, () => ({
    counters: newEventStoreDbCounters(),
    status: () => ({ kind: 'connected' }) as const,
  })),
  ...metricsIn(sipMetrics, () => sip),
  ...metricsIn(mirrorMetrics, () => mirror),
  ...metricsIn(miMetrics, () => ({
    calls: { imc_list_rooms: 1 },
    errors: { '-32601': 1 },
    fronts: [() => ({ wrongTokens: 1 })],
  })),
  ...metricsIn(processMetrics, () => ({ version: '1.2.3', startedAt: 1_000, eventLoop: { quantiles: () => ({}) } })),
  ...metricsIn(logMetrics, () => ({ counters: { linesDropped: 0 } })),
];
const all = createMetrics(running);
const metrics = components.flatMap((component) => component.metrics);
const names = new Set(
  metrics.flatMap(({ name, kind }) =>
    kind === 'histogram' ? ['bucket', 'sum', 'count'].map((part) => `${name}_${part}`) : [name],
  ),
);

describe('/metrics', async () => {
  const { type, text } = await all.scrape();
  const value = (line: string) =>
    text
      .split('\n')
      .find((one) => one.startsWith(`${line} `))
      ?.slice(line.length + 1);

  it("is Prometheus' text with what the components have counted", () => {
    assert.match(type, /^text\/plain/);
    assert.equal(value('imcd_rooms'), '1');
    assert.equal(value('imcd_members'), '2');
    assert.equal(value('imcd_invitations'), '1');
    assert.equal(value('imcd_commands_total{command="JoinRoom"}'), '3');
    assert.equal(value('imcd_sip_answers_total{method="REGISTER",code="403"}'), '1');
    assert.equal(value('imcd_transport_errors_total{transport="udp",reason="EPERM"}'), '2');
    assert.equal(value('imcd_copies_failed_total{reason="timeout"}'), '2');
    assert.equal(value('imcd_build_info{version="1.2.3"}'), '1');
    assert.equal(value('imcd_start_time_seconds'), '1');
  });
  it('counts appends in buckets that add up', () => {
    assert.equal(value('imcd_append_duration_seconds_bucket{le="0.0005"}'), '1');
    assert.equal(value('imcd_append_duration_seconds_bucket{le="0.005"}'), '3');
    assert.equal(value('imcd_append_duration_seconds_bucket{le="5"}'), '3');
    assert.equal(value('imcd_append_duration_seconds_bucket{le="+Inf"}'), '4');
    assert.equal(value('imcd_append_duration_seconds_count'), '4');
  });
  it('shows what is true at the scrape, not sums of scrapes', async () => {
    failures.timeout = 5;
    const again = (await all.scrape()).text;
    assert.match(again, /imcd_copies_failed_total\{reason="timeout"\} 5\n/);
  });
  it("names everything by Prometheus' rules", () => {
    for (const { name, kind, help, labels } of metrics) {
      assert.match(name, /^imcd_[a-z][a-z0-9_]*[a-z]$/, name);
      assert.equal(name.endsWith('_total'), kind === 'counter', name);
      assert.doesNotMatch(name, /milli|_ms|_kb|_mb|_minutes/, name);
      assert.match(help, /\.$/, name);
      for (const label of labels) assert.match(label, /^[a-z]+$/);
      assert.ok(text.includes(`# TYPE ${name} ${kind}\n`), name);
    }
    assert.equal(new Set(metrics.map(({ name }) => name)).size, metrics.length);
  });
});

describe("MI's statistics", () => {
  it('are the same numbers, sums and parts, under names that are there once', async () => {
    const statistics = await all.statistics();
    const byName = new Map(statistics.map(({ group, name, value }) => [`${group}:${name}`, value]));
    assert.equal(byName.size, statistics.length);
    assert.equal(byName.get('imc:active_rooms'), 1);
    assert.equal(byName.get('imc:members'), 2);
    assert.equal(byName.get('imc:commands'), 4);
    assert.equal(byName.get('imc:commands_JoinRoom'), 3);
    assert.equal(byName.get('sip:answers_MESSAGE_200'), 4);
    assert.equal(byName.has('core:memory'), false, 'no sum of what cannot be added');
  });
});

describe('the Grafana dashboard', () => {
  it('uses only metrics that exist', () => {
    const expressions = dashboard.panels.flatMap(({ targets }) => targets.map(({ expr }) => expr));
    const used = [...expressions.join(' ').matchAll(/imcd_\w+/g)].map(([name]) => name);
    assert.ok(used.length > 20);
    assert.deepEqual(
      used.filter((name) => !names.has(name)),
      [],
    );
  });
  it('is the file in docs', () => {
    const file = join(import.meta.dirname, '..', '..', 'docs', 'grafana', 'imcd.json');
    assert.equal(readFileSync(file, 'utf8'), dashboardText, 'run: node scripts/grafana.ts');
  });
});
