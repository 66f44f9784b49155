import { Config } from '../../config/config.ts';
import type { Run } from '../invocation.ts';

/** `imcd check-config`: prints the whole configuration as YAML that could be a file, secrets hidden. */
export const run: Run = async ({ config, out, err }) => {
  const checked = await config();
  const { stringify } = await import('yaml');
  await out(stringify(Config.encode(checked)).trimEnd());
  err('The configuration is right.');
  return 0;
};
