import { commandCalled, commandNames } from './command-table.ts';

/** How a command that is being written may go on. */
export interface Completion {
  /** The end of the line that each of `candidates` may stand instead of; empty where a new word begins. */
  readonly typed: string;
  readonly candidates: readonly string[];
}

/**
 * How a line goes on, for one who writes it: the names of commands, and the words of a parameter that takes some only. A name
 * that takes parameters comes with the blank after it.
 *
 * @param line as far as it is written; what does not begin with the start character is chat, which nothing completes
 * @param startChar one character
 */
export const completeCommand = (line: string, startChar: string): Completion => {
  if (!line.startsWith(startChar)) return { typed: line, candidates: [] };
  const [name = '', ...words] = line.slice(startChar.length).split(/[ \t]+/);
  const typed = words.at(-1);
  if (typed === undefined) return { typed: line, candidates: begun(commandNames, name).map(named(startChar)) };
  const parameter = commandCalled(name)?.parameters[words.length - 1];
  return { typed, candidates: begun(parameter?.words ?? [], typed) };
};

const begun = (words: readonly string[], typed: string): readonly string[] =>
  words.filter((word) => word.startsWith(typed.toLowerCase()));

const named =
  (startChar: string) =>
  (name: string): string =>
    `${startChar}${name}${commandCalled(name)?.parameters.length === 0 ? '' : ' '}`;
