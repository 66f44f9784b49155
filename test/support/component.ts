import { spawnSync } from 'node:child_process';

/**
 * Options for a test or suite that needs a program beyond npm: `describe('sipp over UDP', component('sipp', 'sip-tester'), ...)`.
 * Where the program is missing the tests are skipped aloud, by name; with CI=true a missing one is a failure.
 *
 * @param program found on PATH, or in Debian's folders for servers (`/usr/sbin`, `/usr/lib/postgresql/<version>/bin`)
 * @param debianPackage what to install
 */
export const component = (program: string, debianPackage: string): { skip?: string } => {
  if (pathOf(program) !== undefined) return {};
  const message = `${program} is not installed (Debian: apt-get install ${debianPackage})`;
  if (process.env.CI === 'true') throw new Error(message);
  return { skip: message };
};

/** Full path of a program; undefined where it is not installed. */
export const pathOf = (program: string): string | undefined => {
  const script = `PATH="$PATH:/usr/sbin:$(echo /usr/lib/postgresql/*/bin | tr ' ' ':')" command -v "$0"`;
  const found = spawnSync('sh', ['-c', script, program], { encoding: 'utf8' });
  return found.status === 0 ? found.stdout.trim() : undefined;
};
