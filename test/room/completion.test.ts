import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { commandNames } from '../../src/room/command-table.ts';
import { completeCommand } from '../../src/room/completion.ts';

const candidates = (line: string, startChar = '#') => completeCommand(line, startChar).candidates;

describe('completion of a line', () => {
  it('finds the names of commands, aliases too, in any case, with the blank before what they take', () => {
    assert.deepEqual(completeCommand('#mo', '#'), { typed: '#mo', candidates: ['#modify '] });
    assert.deepEqual(candidates('#LE'), ['#leave ']);
    assert.deepEqual(candidates('#r'), ['#remove ', '#reject ', '#rooms'].toSorted(byTable));
    assert.deepEqual(candidates('!roo', '!'), ['!rooms']);
    assert.equal(candidates('#').length, commandNames.length);
  });

  it('finds the words of a parameter that takes some only', () => {
    assert.deepEqual(completeCommand('#modify bob a', '#'), { typed: 'a', candidates: ['admin'] });
    assert.deepEqual(completeCommand('#modify bob\t ', '#'), { typed: '', candidates: ['owner', 'admin', 'member'] });
    assert.deepEqual(candidates('#create chat-1 PR'), ['private']);
    assert.deepEqual(candidates('#help lea'), ['leave']);
    assert.deepEqual(candidates('#help ').length, commandNames.length);
  });

  it('finds nothing in chat, for users and rooms, after the last word, and of a command that there is not', () => {
    for (const line of [
      '',
      'he',
      ' #he',
      '#invite ',
      '#invite bo',
      '#join ch',
      '#modify bob admin ',
      '#list a b ',
      '# ',
      '#x a',
    ])
      assert.deepEqual(candidates(line), [], line);
  });
});

const byTable = (a: string, b: string) =>
  commandNames.indexOf(a.slice(1).trim()) - commandNames.indexOf(b.slice(1).trim());
