import type { Values } from './story.ts';

/** Prometheus' text of a server on loopback. */
export const scrape = async (port: number): Promise<string> =>
  (await fetch(`http://127.0.0.1:${port}/metrics`, { signal: AbortSignal.timeout(10_000) })).text();

/** One line of it: name, labels in their order, value. */
export interface Sample {
  readonly name: string;
  readonly labels: readonly (readonly [name: string, value: string])[];
  readonly value: number;
}

export const samplesOf = (text: string): readonly Sample[] =>
  text.split('\n').flatMap((line) => {
    const [, name, labels, value] = /^(\w+)(?:\{(.*)\})? (\S+)$/.exec(line) ?? [];
    if (name === undefined || value === undefined) return [];
    const pairs = [...(labels ?? '').matchAll(/(\w+)="([^"]*)"/g)].map(
      (pair) => [pair[1] ?? '', pair[2] ?? ''] as const,
    );
    return [{ name, labels: pairs, value: Number(value) }];
  });

/** By series, as stories name them; a histogram is its count. */
export const valuesOf = (text: string): Values =>
  new Map(
    samplesOf(text)
      .filter(({ name }) => !/_(bucket|sum)$/.test(name))
      .map(({ name, labels, value }) => {
        const shown = labels.map(([, label]) => label).join(' ');
        return [`${name.replace(/_count$/, '')}${shown === '' ? '' : `{${shown}}`}`, value];
      }),
  );
