import type { CommandSpec } from './invocation.ts';

/** Every command of `imcd`, in the order of `imcd --help`. A new one is a row here and a module that exports `run`. */
export const commands: readonly CommandSpec[] = [
  {
    usage: 'serve',
    summary: 'run the server, in the foreground',
    examples: [['imcd serve --config /etc/imcd.yaml', 'until SIGTERM or SIGINT']],
    load: () => import('./serve.ts'),
  },
  {
    usage: 'check-config',
    summary: 'say whether the configuration is right, and print it whole with defaults, secrets hidden',
    examples: [['imcd check-config --config /etc/imcd.yaml', 'before a restart']],
    load: () => import('./check-config.ts'),
  },
];
