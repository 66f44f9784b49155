import { pipe } from 'fp-ts/lib/function.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import { Config } from '../../config/config.ts';
import type { Run } from '../invocation.ts';

/** `imcd check-config`: prints the whole configuration as YAML that could be a file, secrets hidden. */
export const run: Run = ({ config, out, err }) =>
  pipe(
    config,
    TE.chainTaskK((checked) => async () => {
      const { stringify } = await import('yaml');
      await out(stringify(Config.encode(checked)).trimEnd());
      err('The configuration is right.');
      return 0;
    }),
  );
