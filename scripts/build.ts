/**
 * `npm run build`: JavaScript for publishing, into `dist`. Node strips no types below `node_modules`, so a package needs it;
 * nothing else does. `npm pack` and `npm publish` run it.
 */
import { spawnSync } from 'node:child_process';
import { globSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..');
const dist = join(root, 'dist');

rmSync(dist, { recursive: true, force: true });
const { status } = spawnSync(join(root, 'node_modules', '.bin', 'tsc'), ['-p', 'tsconfig.build.json'], {
  cwd: root,
  stdio: 'inherit',
});
if (status !== 0) process.exit(status ?? 1);

// tsc rewrites imports; the files of worker threads are named by URLs.
const workerFile = /new URL\('(\.[^']*)\.ts', import\.meta\.url\)/g;
for (const file of globSync('**/*.js', { cwd: dist })) {
  const path = join(dist, file);
  const text = readFileSync(path, 'utf8');
  const rewritten = text.replace(workerFile, "new URL('$1.js', import.meta.url)");
  if (rewritten !== text) writeFileSync(path, rewritten);
  const left = /(?:from|import\() ?'\.[^']*\.ts'/.exec(rewritten);
  if (left !== null) throw new Error(`dist/${file} still names a source: ${left[0]}`);
}
