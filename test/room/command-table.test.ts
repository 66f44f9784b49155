import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import * as E from 'fp-ts/lib/Either.js';
import { row } from '../../src/room/command-row.ts';
import { commandCalled, commandNames, commandTable } from '../../src/room/command-table.ts';
import { type CommandParameter, kinds, restOfLine, user } from '../../src/room/parameters.ts';
import { topicRule } from '../../src/room/parse-text.ts';
import { bodies } from '../sql/command-stream.ts';
import { parsed } from './syntax-world.ts';

/** Something that each kind takes. */
const word: { readonly [K in CommandParameter['kind']]: string } = {
  private: 'private',
  role: 'admin',
  command: 'join',
  text: 'one  two',
  user: 'bob',
  room: 'chat-2',
};

describe('a row of the command table', () => {
  it('has names that no other row has, in lower case, as one word of ASCII', () => {
    assert.equal(new Set(commandNames).size, commandTable.flatMap(({ name, aliases }) => [name, ...aliases]).length);
    for (const name of commandNames) assert.match(name, /^[a-z]{1,16}$/);
  });

  for (const command of commandTable) {
    const { name, aliases, parameters, help, sentence } = command;
    it(`${name} makes what it says, by its name and its aliases`, () => {
      for (const spelling of [name, ...aliases]) {
        assert.equal(commandCalled(spelling.toUpperCase()), command);
        const found = parsed(`#${[spelling, ...parameters.map(({ kind }) => word[kind])].join(' ')}`);
        assert.ok(E.isRight(found), spelling);
        assert.ok(command.makes.includes(found.right.type));
      }
    });

    it(`${name} is refused without the words that it needs, and, where it takes no text, with one word more`, () => {
      const least = parameters.filter(({ optional }) => !optional).map(({ kind }) => word[kind]);
      assert.ok(E.isRight(parsed(`#${[name, ...least].join(' ')}`)));
      for (let n = 0; n < least.length; n += 1)
        assert.deepEqual(reasonOf(`#${[name, ...least.slice(0, n)].join(' ')}`), 'MissingArgument');
      if (parameters.at(-1)?.kind === 'text') return;
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

const questions: readonly string[] = ['ListMembers', 'ShowTopic', 'ListRooms', 'Help'];

describe('a command of the table', () => {
  const folder = join(import.meta.dirname, '..', 'conformance');
  const conformance = readdirSync(folder)
    .filter((file) => file.endsWith('.test.ts'))
    .map((file) => readFileSync(join(folder, file), 'utf8'))
    .join('\n');
  for (const { name, makes } of commandTable) {
    it(`${name} is sent over real sockets, by test/conformance`, () =>
      assert.match(conformance, new RegExp(`['"\`]#${name}\\b`)));
    if (makes.every((type) => questions.includes(type))) continue;
    it(`${name} is in the load of the exactly-once tests`, () =>
      assert.ok(bodies.some((body) => body.split(' ')[0] === `#${name}`)));
  }
});

describe('a row that cannot be right does not compile', () => {
  const spelling = { name: 'x', help: '', sentence: '', parameters: [] } as const;
  it('of a command that there is not', () => {
    // @ts-expect-error
    row({ ...spelling, makes: ['Dance'], make: (_, { sender }) => ({ type: 'Help', actor: sender }) });
  });
  it('that makes another command than it says', () => {
    // @ts-expect-error
    row({ ...spelling, makes: ['Help'], make: (_, { sender }) => ({ type: 'ListRooms', actor: sender }) });
  });
  it('that makes a command of a word that it does not take', () => {
    // @ts-expect-error
    row({ ...spelling, makes: ['Help'], make: ({ user }) => ({ type: 'Help', actor: user.uri }) });
  });
  it('with a word after a text', () => {
    const parameters = [restOfLine(topicRule), user] as const;
    // @ts-expect-error
    row({ ...spelling, parameters, makes: ['Help'], make: (_, { sender }) => ({ type: 'Help', actor: sender }) });
  });
});

const reasonOf = (body: string) => {
  const found = parsed(body);
  return E.isLeft(found) ? found.left.reason : found.right.type;
};
