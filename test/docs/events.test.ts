import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { roomEvents } from '../../src/room/events.ts';

const page = readFileSync(join(import.meta.dirname, '..', '..', 'docs', 'explanation', 'event-model.md'), 'utf8');

describe('docs/explanation/event-model.md', () => {
  it('lists the types of events, each once', () => {
    const list = page.split('\n').find((line) => line.startsWith('RoomCreated, '));
    assert.deepEqual(list?.replace(/\.$/, '').split(', ').sort(), Object.keys(roomEvents).sort());
  });
});
