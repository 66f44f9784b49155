/** Writes `docs/grafana/imcd.json`, the dashboard: `node scripts/grafana.ts`. A test holds it equal and its metrics existing. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { MetricHead } from '../src/ports/metric.ts';
import { components } from '../src/server/metrics.ts';

interface Panel {
  readonly title: string;
  readonly unit: string;
  /** PromQL, and the legend. */
  readonly queries: readonly (readonly [expression: string, legend: string])[];
}

const metrics = new Map(components.flatMap((component) => component.metrics.map((metric) => [metric.name, metric])));

/** The metric's name, where there is one of this kind with these labels; Prometheus adds `instance`. Throws else. */
const known = (name: string, kind: MetricHead['kind'], by = 'instance'): string => {
  const metric = metrics.get(name);
  if (metric?.kind !== kind) throw new Error(`there is no ${kind} ${name}`);
  const labels = ['instance', ...metric.labels];
  for (const label of by.split(', ')) if (!labels.includes(label)) throw new Error(`${name} has no label ${label}`);
  return name;
};
const rate = (name: string, by?: string) => {
  const counter = known(name, 'counter', by);
  return by === undefined
    ? `sum(rate(${counter}{job="$job"}[$__rate_interval]))`
    : `sum by (${by}) (rate(${counter}{job="$job"}[$__rate_interval]))`;
};
const now = (name: string, by?: string) => {
  const gauge = known(name, 'gauge', by);
  return by === undefined ? `sum(${gauge}{job="$job"})` : `max by (${by}) (${gauge}{job="$job"})`;
};
const quantile = (q: number, name: string) =>
  `histogram_quantile(${q}, sum by (le) (rate(${known(name, 'histogram')}_bucket{job="$job"}[$__rate_interval])))`;

const panels: readonly Panel[] = [
  {
    title: 'Rooms and members',
    unit: 'short',
    queries: [
      [now('imcd_rooms', 'instance'), 'rooms {{instance}}'],
      [now('imcd_members', 'instance'), 'members {{instance}}'],
      [now('imcd_invitations', 'instance'), 'invitations {{instance}}'],
    ],
  },
  { title: 'Commands', unit: 'ops', queries: [[rate('imcd_commands_total', 'command'), '{{command}}']] },
  {
    title: 'Refusals and failures',
    unit: 'ops',
    queries: [
      [rate('imcd_refusals_total', 'reason'), '{{reason}}'],
      [rate('imcd_failures_total', 'kind'), '{{kind}}'],
    ],
  },
  {
    title: 'Chat and copies',
    unit: 'ops',
    queries: [
      [rate('imcd_chat_messages_total'), 'chat messages'],
      [rate('imcd_copies_sent_total'), 'copies'],
      [rate('imcd_copies_delivered_total'), 'delivered'],
      [rate('imcd_copies_retransmitted_total'), 'retransmitted'],
    ],
  },
  { title: 'Copies that failed', unit: 'ops', queries: [[rate('imcd_copies_failed_total', 'reason'), '{{reason}}']] },
  {
    title: 'Append latency',
    unit: 's',
    queries: [
      [quantile(0.5, 'imcd_append_duration_seconds'), 'p50'],
      [quantile(0.99, 'imcd_append_duration_seconds'), 'p99'],
    ],
  },
  {
    title: 'Queues',
    unit: 'short',
    queries: [
      [now('imcd_commands_queued', 'instance'), 'commands {{instance}}'],
      [now('imcd_copies_queued', 'instance'), 'copies {{instance}}'],
      [now('imcd_store_appends_pending', 'instance'), 'appends {{instance}}'],
      [now('imcd_mirror_pending_events', 'instance'), 'mirror {{instance}}'],
    ],
  },
  {
    title: 'Lag',
    unit: 's',
    queries: [
      [now('imcd_subscription_lag_seconds', 'instance'), 'log {{instance}}'],
      [now('imcd_mirror_lag_seconds', 'instance'), 'mirror {{instance}}'],
    ],
  },
  { title: 'Store', unit: 'ops', queries: [[rate('imcd_store_operations_total', 'kind'), '{{kind}}']] },
  {
    title: 'Store failures',
    unit: 'ops',
    queries: [
      [rate('imcd_store_failures_total', 'kind'), '{{kind}}'],
      [rate('imcd_eventstoredb_connections_lost_total', 'kind'), 'connection {{kind}}'],
    ],
  },
  {
    title: 'SIP answers',
    unit: 'ops',
    queries: [[rate('imcd_sip_answers_total', 'method, code'), '{{method}} {{code}}']],
  },
  {
    title: 'Transport errors and drops',
    unit: 'ops',
    queries: [
      [rate('imcd_transport_errors_total', 'transport, reason'), 'not sent: {{transport}} {{reason}}'],
      [rate('imcd_transport_dropped_total', 'transport, reason'), 'dropped: {{transport}} {{reason}}'],
      [rate('imcd_sip_rejected_total', 'table'), 'rejected: {{table}}'],
    ],
  },
  {
    title: 'Event loop delay',
    unit: 's',
    queries: [[now('imcd_event_loop_delay_seconds', 'instance, quantile'), '{{instance}} {{quantile}}']],
  },
  {
    title: 'CPU and memory',
    unit: 'short',
    queries: [
      [rate('imcd_cpu_seconds_total', 'instance'), 'cores {{instance}}'],
      [`${now('imcd_memory_bytes', 'instance, kind')} / 1e6`, 'MB {{kind}} {{instance}}'],
    ],
  },
];

/** The dashboard as Grafana 10 and later import it. */
export const dashboard = {
  title: 'imcd',
  uid: 'imcd',
  schemaVersion: 39,
  editable: true,
  refresh: '10s',
  time: { from: 'now-1h', to: 'now' },
  templating: {
    list: [
      { name: 'datasource', type: 'datasource', query: 'prometheus' },
      {
        name: 'job',
        type: 'query',
        datasource: { type: 'prometheus', uid: '$datasource' },
        query: 'label_values(imcd_build_info, job)',
        refresh: 2,
      },
    ],
  },
  panels: panels.map(({ title, unit, queries }, index) => ({
    id: index + 1,
    type: 'timeseries',
    title,
    datasource: { type: 'prometheus', uid: '$datasource' },
    gridPos: { h: 8, w: 12, x: (index % 2) * 12, y: Math.floor(index / 2) * 8 },
    fieldConfig: { defaults: { unit, min: 0 }, overrides: [] },
    targets: queries.map(([expr, legendFormat], query) => ({
      refId: String.fromCharCode(65 + query),
      expr,
      legendFormat,
    })),
  })),
};

export const dashboardText = `${JSON.stringify(dashboard, null, 2)}\n`;

if (import.meta.main) {
  const folder = join(import.meta.dirname, '..', 'docs', 'grafana');
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'imcd.json'), dashboardText);
}
