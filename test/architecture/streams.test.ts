import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, it } from 'node:test';
import type { RoomKey } from '../../src/room/address.ts';
import { categoryOf, roomOfStream, roomPrefix, streamName, streamOf, transcriptOf } from '../../src/room/stream.ts';

const root = join(import.meta.dirname, '..', '..');
const key = 'chat-1@example.org' as RoomKey;

/** Names of projections, which are files: `room-members`. */
const projections = globSync('projections/*.js', { cwd: root }).map((file) => basename(file, '.js'));

/** A file's code: no comments, no names of files (`./room-table.ts`) and of projections. */
const codeOf = (file: string): string =>
  projections.reduce(
    (text, name) => text.replaceAll(name, ''),
    readFileSync(join(root, file), 'utf8').replace(/\/\*[\s\S]*?\*\/|(?<=^|\s)\/\/.*$|from '\.[^']*'/gm, ''),
  );

describe('names of streams', () => {
  it('are known in src/room/stream.ts alone', () => {
    const files = globSync(['src/**/*.ts', 'bench/**/*.ts', 'scripts/**/*.ts'], { cwd: root });
    assert.ok(files.length > 100, `only ${files.length} files`);
    const knowing = files.filter((file) => /\b(?:room|transcript)-/.test(codeOf(file)));
    assert.deepEqual(knowing, [join('src', 'room', 'stream.ts')]);
  });

  it('are what stands in logs that were written', () => {
    assert.equal(streamOf(key), 'room-chat-1@example.org');
    assert.equal(transcriptOf(key), 'transcript-chat-1@example.org');
    assert.equal(roomPrefix, 'room-');
  });

  it('say what a stream holds', () => {
    assert.equal(categoryOf(streamOf(key)), 'room');
    assert.equal(categoryOf(transcriptOf(key)), 'transcript');
    assert.equal(categoryOf('imcd-log'), undefined);
    assert.equal(roomOfStream(streamOf(key)), key);
    for (const other of [transcriptOf(key), '$ce-room', 'roommates-1']) assert.equal(roomOfStream(other), undefined);
    for (const [name, ours] of [
      [streamOf(key), true],
      [transcriptOf(key), true],
      ['room-', false],
      ['user-bob@a', false],
    ] as const)
      assert.equal(streamName.test(name), ours, name);
  });
});
