#!/usr/bin/env node
/** The `imcd` program. Nothing is imported before the Node version is known: an older one would fail on what it does not know. */
const needed = 24;
if (Number(process.versions.node.split('.')[0]) < needed) {
  process.stderr.write(
    `imcd needs Node.js ${needed} or newer; this is ${process.versions.node} (${process.execPath}). ` +
      'Install a newer one from https://nodejs.org, or run imcd through npm (npm start), which brings its own.\n',
  );
  process.exitCode = 1;
} else {
  const { main } = await import('./cli/program.ts');
  process.exitCode = await main(process.argv.slice(2));
}

export {};
