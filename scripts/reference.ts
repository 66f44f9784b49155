/**
 * `npm run reference`: writes what is made from the code: `docs/reference/*.md`, `imcd.example.yaml`, `schemas/config.json`,
 * `schemas/mi.json` and the Grafana dashboard. A test holds the files and the code equal.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { dashboardText } from './grafana.ts';
import { configPage, configSchema, exampleFile } from './reference-config.ts';
import { commandLinePage, metricsPage, miPage, miSchema } from './reference-operating.ts';
import { answersPage, eventsPage } from './reference-rooms.ts';

const root = join(import.meta.dirname, '..');
const json = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`;

/** Path below the root to text. */
export const generated = (): ReadonlyMap<string, string> =>
  new Map([
    ['imcd.example.yaml', exampleFile()],
    ['schemas/config.json', json(configSchema())],
    ['schemas/mi.json', json(miSchema())],
    ['docs/reference/configuration.md', configPage()],
    ['docs/reference/command-line.md', commandLinePage()],
    ['docs/reference/management.md', miPage()],
    ['docs/reference/metrics.md', metricsPage()],
    ['docs/reference/events.md', eventsPage()],
    ['docs/reference/answers.md', answersPage()],
    ['docs/grafana/imcd.json', dashboardText],
  ]);

if (import.meta.main) {
  for (const [path, text] of generated()) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
    console.log(path);
  }
}
