import { registerHooks } from 'node:module';

/**
 * `node --import ./preload.ts`: imcd as it is, on a table of events that has had older versions. All that imports
 * `src/room/events.ts` from within `src` is given `table.ts` in its place, and nothing of imcd's own is changed.
 */
const src = new URL('../../../src/', import.meta.url).href;
const real = new URL('room/events.ts', src).href;
const madeUp = new URL('table.ts', import.meta.url).href;

registerHooks({
  resolve: (specifier, context, nextResolve) => {
    const found = nextResolve(specifier, context);
    return found.url === real && context.parentURL?.startsWith(src) === true ? { ...found, url: madeUp } : found;
  },
});
