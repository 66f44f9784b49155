import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as E from 'fp-ts/lib/Either.js';
import { commandCalled, commandNames, commandTable } from '../../src/room/command-table.ts';
import { kinds, type Parameter } from '../../src/room/parameters.ts';
import { parsed } from './syntax-world.ts';

/** Something that each kind takes. */
const word: { readonly [K in Parameter['kind']]: string } = {
  private: 'private',
  role: 'admin',
  command: 'join',
  user: 'bob',
  room: 'chat-2',
};

describe('a row of the command table', () => {
  it('has names that no other row has, in lower case, as one word of ASCII', () => {
    assert.equal(new Set(commandNames).size, commandTable.flatMap(({ name, aliases }) => [name, ...aliases]).length);
    for (const name of commandNames) assert.match(name, /^[a-z]{1,16}$/);
  });

  for (const row of commandTable) {
    const { name, aliases, parameters, help, sentence } = row;
    it(`${name} makes what it says, by its name and its aliases`, () => {
      for (const spelling of [name, ...aliases]) {
        assert.equal(commandCalled(spelling.toUpperCase()), row);
        const found = parsed(`#${[spelling, ...parameters.map(({ kind }) => word[kind])].join(' ')}`);
        assert.ok(E.isRight(found), spelling);
        assert.ok(row.makes.includes(found.right.type));
      }
    });

    it(`${name} is refused without the words that it needs, and with one more than it takes`, () => {
      const least = parameters.filter(({ optional }) => !optional).map(({ kind }) => word[kind]);
      assert.ok(E.isRight(parsed(`#${[name, ...least].join(' ')}`)));
      for (let n = 0; n < least.length; n += 1)
        assert.deepEqual(reasonOf(`#${[name, ...least.slice(0, n)].join(' ')}`), 'MissingArgument');
      const all = parameters.map(({ kind }) => word[kind]);
      assert.deepEqual(reasonOf(`#${[name, ...all, 'more'].join(' ')}`), 'TooManyArguments');
    });

    it(`${name} has one parameter of a kind, those that may be left out last, a line of help and a sentence`, () => {
      const found = parameters.map(({ kind }) => kind);
      assert.equal(new Set(found).size, found.length);
      assert.ok(found.every((kind) => kinds.includes(kind)));
      const optional = parameters.map((parameter) => parameter.optional);
      assert.deepEqual(optional, optional.toSorted());
      assert.match(help, /^[a-z][^\n]{1,78}[^.\n]$/);
      assert.match(sentence, /^[A-Z][^\n]{1,118}\.$/);
    });
  }
});

const reasonOf = (body: string) => {
  const found = parsed(body);
  return E.isLeft(found) ? found.left.reason : found.right.type;
};
