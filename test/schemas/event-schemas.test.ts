import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import fc from 'fast-check';
import * as t from 'io-ts';
import { schemaOf } from '../../scripts/json-schema.ts';
import { folder, rendered } from '../../scripts/schemas.ts';
import type { EventTable } from '../../src/room/event-definition.ts';
import { roomEvents } from '../../src/room/events.ts';
import { versionIn } from '../../src/room/metadata.ts';
import { transcriptEvents } from '../../src/room/transcript.ts';
import { anyEvent } from '../properties/arbitraries.ts';
import { fixtures } from '../room/fixtures.ts';

const text = (name: string): string => readFileSync(join(folder, name), 'utf8');
const ajv = new Ajv2020({ strict: true });
const validators = new Map<string, ValidateFunction>();
/** The schema as it stands in the repository, as others read it. */
const validator = (type: string, version: number): ValidateFunction => {
  const name = `${type}.v${version}`;
  const known = validators.get(name);
  if (known !== undefined) return known;
  const made = ajv.compile(JSON.parse(text(`${name}.json`)));
  validators.set(name, made);
  return made;
};

describe('schemas/events', () => {
  it('regenerate from the codecs without a difference (npm run schemas)', () => {
    const files = rendered();
    // Of each the newest is made; those of older versions stay as they were.
    const versions = [...files.keys()].flatMap((file) => {
      const [, name, newest] = /^(\w+)\.v(\d+)\.json$/.exec(file) ?? [];
      return Array.from({ length: Number(newest) }, (_, n) => `${name}.v${n + 1}.json`);
    });
    assert.deepEqual(readdirSync(folder).toSorted(), versions.toSorted());
    for (const [name, wanted] of files) assert.equal(text(name), wanted, name);
  });

  it('are there for every event and for the metadata', () => {
    const events: EventTable = { ...roomEvents, ...transcriptEvents };
    for (const [type, { version }] of Object.entries(events)) assert.ok(validator(type, version));
    assert.ok(validator('EventMetadata', 1));
  });

  it('hold for every fixture', () => {
    for (const { file, type, data, metadata } of fixtures) {
      const validate = validator(type, versionIn(metadata));
      assert.ok(validate(data), `${file}: ${ajv.errorsText(validate.errors)}`);
      const validateMetadata = validator('EventMetadata', 1);
      assert.ok(validateMetadata(metadata), `${file}: ${ajv.errorsText(validateMetadata.errors)}`);
    }
  });

  it('say what the codecs say, of right data and of wrong', () => {
    const wrong = fc.constantFrom<unknown>(
      undefined,
      null,
      1,
      '',
      'sip:a',
      'sip:a@b',
      'operator:x',
      'owner',
      {},
      'sips',
      true,
    );
    fc.assert(
      fc.property(anyEvent, fc.nat(9), wrong, fc.boolean(), ({ type, data }, which, value, spoil) => {
        const entries = Object.entries(data);
        const changed = spoil
          ? entries.map(([key, old], i) => [key, i === which % entries.length ? value : old])
          : entries;
        const stored: unknown = JSON.parse(JSON.stringify(Object.fromEntries(changed)));
        assert.equal(
          validator(type, roomEvents[type].version)(stored),
          roomEvents[type].data.is(stored),
          JSON.stringify(stored),
        );
      }),
      { numRuns: 2000 },
    );
  });

  it('are not made of a codec that the converter does not know', () => {
    const unknownBrand = t.brand(t.string, (s): s is t.Branded<string, { readonly New: symbol }> => s !== '', 'New');
    assert.throws(() => schemaOf(unknownBrand, {}, new Map()), /brand New/);
    assert.throws(() => schemaOf(t.array(t.string), {}, new Map()), /no schema is known/);
    assert.throws(() => schemaOf(t.intersection([t.string, t.type({})]), {}, new Map()), /other than objects/);
  });
});
