import { commands } from '../src/cli/commands.ts';
import { methods } from '../src/mi/methods.ts';
import { components } from '../src/server/metrics.ts';
import { code, page, table } from './markdown.ts';

export const commandLinePage = (): string =>
  page(
    'Command line',
    `Every command takes ${code('--config FILE')} and every option of the [configuration](configuration.md) (${code('--store_url memory:')}). stdout carries results, stderr everything else; progress is shown on a terminal only. Exit codes: 0, it worked; 1, it did not, or the answer is no; 2, wrong usage or a wrong configuration.`,
    ...commands.map(({ usage, summary, options = [], examples }) =>
      [
        `## imcd ${usage.split(' ')[0]}`,
        `${code(`imcd ${usage}`)}: ${summary}.`,
        ...(options.length === 0
          ? []
          : [
              table(
                ['option', 'meaning'],
                options.map(([flags, meaning]) => [code(flags), meaning]),
              ),
            ]),
        ...examples.map(([line, does]) => `\`\`\`sh\n${line}   # ${does}\n\`\`\``),
      ].join('\n\n'),
    ),
    '## JSON',
    `${code('history --json')}, one object a line: ${code('position, stream, revision, type, time, room, actor, source, callId, data, metadata')}; what is absent is null. ${code('state --json')}, one room a line: ${code('room, revision, private, owner, members: [{uri, role, since}]')}; role is owner, admin, member or invited. ${code('export')}, one event a line: ${code('position, stream, revision, id, type, data, metadata')}. Times are RFC 3339 in UTC, revisions numbers, positions strings.`,
    '## Times',
    `RFC 3339 (${code('2026-11-22T14:00:00Z')}), ${code('-2h')} (s, m, h, d, w; ${code('-1d12h')}), or words: ${code('2026-11-22 14:00')}, ${code('yesterday 14:00')}, ${code('last monday')}. A day alone is its beginning, for ${code('--until')} its end. They are read and shown in the local zone (${code('TZ')}), with its name.`,
  );

export const miPage = (): string =>
  page(
    'Management interface',
    `JSON-RPC 2.0 over HTTP (${code('POST /mi')} on ${code('mi.http')}), over a FIFO (${code('mi.fifo')}) and over UDP datagrams (${code('mi.datagram')}), as OpenSIPS speaks it; opensips-cli works unchanged. Every spelling can be called, and is in the answer of ${code('which')}. Parameters go by name or by position. [schemas/mi.json](../../schemas/mi.json) has the shapes.`,
    ...methods.map(({ spellings, summary, params }) =>
      [
        `## ${spellings[0]}`,
        `${summary}. Also: ${spellings.slice(1).map(code).join(', ')}.`,
        ...(params.length === 0
          ? []
          : [
              table(
                ['parameter', 'meaning'],
                params.map(({ name, meaning, optional }) => [code(name), meaning + (optional ? ' (optional)' : '')]),
              ),
            ]),
      ].join('\n\n'),
    ),
    '## Errors',
    table(
      ['code', 'message', 'when'],
      [
        ['-32700', 'Parse error', 'no JSON; the id is null'],
        ['-32600', 'Invalid Request', 'no request, or a batch of none or of more than 100'],
        ['-32601', 'Method not found', 'a name that is not in `which`'],
        ['-32602', 'Invalid params', 'data: Too few or too many parameters, or Named parameters do not match'],
        ['400', 'empty param, bad param', 'a room that is empty or no SIP URI; other parameters: with what is allowed'],
        [
          '403',
          'the reason',
          'the room refuses the command; each refusal has the code that it is answered with in SIP',
        ],
        ['404', 'no such room', 'also: no such member, Statistics Not Found'],
        ['500', 'a sentence', 'the log cannot be reached, or the answer is too long for a datagram or a batch'],
      ],
    ),
    '## HTTP',
    `Always 200 with the JSON-RPC answer; 202 without a body where the request has no id. 415: the Content-Type is not ${code('application/json')}. 403: the Host is not ours, or a web page of another site asks (Origin). 401: the token is missing or wrong; that answer takes a second. 413: more than 1 MiB. 64 connections at most. ${code('GET /metrics')} wants the token too; ${code('GET /healthz')} (200 while the process lives) and ${code('GET /readyz')} (200, or 503 and why) do not.`,
  );

export const miSchema = () => ({
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  $id: 'urn:imcd:mi',
  title: "Methods of imcd's management interface",
  $defs: Object.fromEntries(
    methods.map(({ spellings: [name = '', ...others], summary, params, result }) => [
      name,
      {
        description: summary,
        type: 'object',
        properties: {
          spellings: { const: [name, ...others] },
          params: {
            type: 'object',
            additionalProperties: false,
            required: params.filter(({ optional }) => !optional).map((param) => param.name),
            properties: Object.fromEntries(
              params.map((param) => [
                param.name,
                { ...(param.schema ?? { type: 'string' }), description: param.meaning },
              ]),
            ),
          },
          result,
        },
      },
    ]),
  ),
});

export const metricsPage = (): string =>
  page(
    'Metrics and statistics',
    `${code('GET /metrics')} is Prometheus' text. The management interface shows the same numbers as statistics: ${code('get_statistics')} with a name (${code('active_rooms')}), a group (${code('imc:')}) or ${code('all')}; a metric with labels is there as its sum (counters only) and once for each value (${code('imc:commands_JoinRoom')}). ${code('reset_statistics')} lets counters start from 0 again in the management interface alone. [A dashboard for Grafana](../grafana/imcd.json) uses them.`,
    ...components.map(({ title, when, metrics }) =>
      [
        `## ${title}`,
        ...(when === undefined ? [] : [when]),
        table(
          ['metric', 'kind', 'labels', 'meaning', 'statistic'],
          metrics.map((metric) => [
            code(metric.name),
            metric.kind,
            (metric.kind === 'histogram' ? ['le'] : metric.labels).map(code).join(', '),
            metric.help,
            metric.kind === 'histogram' ? '' : code(metric.statistic.join(':')),
          ]),
        ),
      ].join('\n\n'),
    ),
  );
