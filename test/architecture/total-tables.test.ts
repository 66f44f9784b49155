import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { before, describe, it } from 'node:test';

const root = join(import.meta.dirname, '..', '..');

interface Edit {
  readonly file: string;
  readonly found: string;
  readonly instead: string;
}

const edits: readonly Edit[] = [
  {
    file: 'src/room/events.ts',
    found: '  RoomDestroyed: define({',
    instead: "  RoomPainted: define({ meaning: '', data: t.type({ room: RoomUri }) }),\n  RoomDestroyed: define({",
  },
  {
    file: 'src/room/room.ts',
    found: 't.type({ uri: RoomUri, private: t.boolean, topic: t.string })',
    instead: 't.type({ uri: RoomUri, private: t.boolean, topic: t.string, colour: t.string })',
  },
  {
    file: 'src/room/commands.ts',
    found: "    byUser('ShowTopic', {}),",
    instead: "    byUser('ShowTopic', {}),\n    byUser('PaintRoom', {}),",
  },
];

/** What the compiler says of a copy of `src` with the edits, `FILE: SENTENCE` each. */
const compilerOn = async (folder: string): Promise<readonly string[]> => {
  for (const name of ['src', 'package.json', 'tsconfig.json'])
    cpSync(join(root, name), join(folder, name), { recursive: true });
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
  for (const { file, found, instead } of edits) {
    const text = readFileSync(join(folder, file), 'utf8');
    assert.equal(text.split(found).length, 2, `${file} has "${found}" once`);
    writeFileSync(join(folder, file), text.replace(found, instead));
  }
  writeFileSync(join(folder, 'src.json'), JSON.stringify({ extends: './tsconfig.json', include: ['src'] }));
  const tsc = join(root, 'node_modules', '.bin', 'tsc');
  const said = await new Promise<string>((resolve) => {
    execFile(tsc, ['--noEmit', '--pretty', 'false', '-p', 'src.json'], { cwd: folder }, (_error, out) => resolve(out));
  });
  return [...said.matchAll(/^(\S+?)\(\d+,\d+\): error TS\d+: (.*)$/gm)].map(([, file, says]) => `${file}: ${says}`);
};

/** The files in the first column of a section of a guide. */
const guidedTo = (page: string, heading: string): readonly string[] => {
  const guide = readFileSync(join(root, 'docs', 'contributing', `${page}.md`), 'utf8');
  const section = guide.split(/^##? /m).find((text) => text.startsWith(`${heading}\n`));
  assert.ok(section !== undefined, `the guide has a section "${heading}"`);
  const cells = [...section.matchAll(/^\|([^|]+)\|/gm)].map(([, cell = '']) => cell);
  return cells.flatMap((cell) => [...cell.matchAll(/`(src\/[^`]+)`/g)].map(([, file = '']) => file));
};

describe('what is forgotten does not compile', () => {
  let said: readonly string[] = [];
  before(async () => {
    const folder = mkdtempSync(join(tmpdir(), 'imcd-total-'));
    said = await compilerOn(folder).finally(() => rmSync(folder, { recursive: true }));
  });
  const filesOf = (lines: readonly string[]): readonly string[] =>
    [...new Set(lines.map((line) => line.slice(0, line.indexOf(':'))))].sort();
  const filesThatMiss = (property: string): readonly string[] =>
    filesOf(said.filter((line) => line.includes(`Property '${property}' is missing`)));
  /** A switch over the commands that has no case for one. */
  const fallsThrough = /Function lacks ending return statement/;

  it('a type of event without a row in each table over the types', () => {
    const tables = ['src/cli/read/event-row.ts', 'src/room/announce.ts', 'src/room/fold.ts', 'src/sql/mirror/plan.ts'];
    assert.deepEqual(filesThatMiss('RoomPainted'), tables);
    const guided = guidedTo('how-to-add-an-event-field', 'A new type of event');
    for (const file of tables) assert.ok(guided.includes(file), `${file} stands in the guide`);
  });

  it('a field of a room that a creation does not set, or that is not read from a snapshot', () => {
    const files = ['src/read-models/snapshot-record.ts', 'src/room/fold.ts'];
    assert.deepEqual(filesThatMiss('colour'), files);
    const guided = guidedTo('how-to-add-an-event-field', 'A field of a room or of a member');
    for (const file of files) assert.ok(guided.includes(file), `${file} stands in the guide`);
  });

  it('a type of command that no row of the command table makes, and that decide and announce have no case for', () => {
    assert.deepEqual(filesThatMiss('noRowMakes'), ['src/room/command-table.ts']);
    assert.ok(said.some((line) => line.includes('noRowMakes: "PaintRoom"')));
    const switches = ['src/room/announce.ts', 'src/room/decide.ts'];
    assert.deepEqual(filesOf(said.filter((line) => fallsThrough.test(line))), switches);
    const guided = guidedTo('how-to-add-a-command', 'How to add a command');
    for (const file of ['src/room/command-table.ts', ...switches])
      assert.ok(guided.includes(file), `${file} stands in the guide`);
  });

  it('and nothing else is wrong with the copy', () => {
    assert.deepEqual(
      said.filter(
        (line) => !fallsThrough.test(line) && !/Property '(?:RoomPainted|colour|noRowMakes)' is missing/.test(line),
      ),
      [],
    );
  });
});
