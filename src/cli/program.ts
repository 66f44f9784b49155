import { Command, CommanderError, Option } from 'commander';
import { pipe } from 'fp-ts/lib/function.js';
import type { Task } from 'fp-ts/lib/Task.js';
import * as TE from 'fp-ts/lib/TaskEither.js';
import { allOptions, type Option as ConfigOption } from '../config/config.ts';
import { loadConfig, optionNames } from '../config/load.ts';
import { type ConfigProblem, describeProblem } from '../config/problems.ts';
import { version } from '../runtime/version.ts';
import { type CliError, type CliTask, wrongUsage } from './cli-error.ts';
import { commands } from './commands.ts';
import type { CommandSpec, ConfigSources, Invocation } from './invocation.ts';
import { printable } from './terminal/show.ts';
import { standardOutput, watchStdout } from './terminal/stdout.ts';

/** Describes the commands to commander, runs one command line, and tells how it ended. */

const err = (line: string): void => void process.stderr.write(`${line}\n`);

/** Runs one command line. Resolves with the exit code: 0, 1 (it did not work, or the answer is no), 2 (wrong usage). */
export const main = async (argv: readonly string[]): Promise<number> => {
  watchStdout();
  let code = 0;
  try {
    const program = describe((exit) => {
      code = exit;
    });
    await program.parseAsync(normalised(argv), { from: 'user' });
    return code;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2; // commander has said it
    // A defect. No stack trace for people who cannot use it; those who report it find it with the variable.
    err(`imcd: internal error: ${printable(error instanceof Error ? error.message : String(error))}`);
    if (process.env.NODE_DEBUG?.includes('imcd') && error instanceof Error) err(error.stack ?? '');
    else err('This is a defect in imcd. Set NODE_DEBUG=imcd to see where, and please report it.');
    return 1;
  }
};

const describe = (exit: (code: number) => void): Command => {
  const program = new Command('imcd')
    .description('SIP instant-message conference server whose rooms are event streams')
    .version(version(), '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print this help')
    .exitOverride()
    .enablePositionalOptions()
    .showHelpAfterError("(try 'imcd --help')")
    .configureOutput({
      outputError: (text, write) => write(`${printable(text.replace(/^error: /, 'imcd: ').trimEnd(), '\n')}\n`),
    });
  program.addHelpText('after', "\n'imcd COMMAND --help' shows a command's options and an example.");
  for (const spec of commands) add(program, spec, exit);
  return program;
};

const add = (program: Command, spec: CommandSpec, exit: (code: number) => void): void => {
  const command = program.command(spec.usage).description(spec.summary);
  command.showHelpAfterError(`(try 'imcd ${command.name()} --help')`);
  for (const [flags, meaning] of spec.options ?? []) command.addOption(new Option(flags, meaning));
  command.addOption(
    new Option('-c, --config <file>', 'YAML file of options (default: the one IMCD_CONFIG names, or none)'),
  );
  const listed = command.name() === 'serve' || command.name() === 'check-config';
  for (const name of optionNames) command.addOption(configOption(name, allOptions.get(name)).hideHelp(!listed));
  const all = listed ? '' : "\nEvery option of 'imcd serve --help' can be given too, for example --data DIR.\n";
  const examples = spec.examples.map(([line, does]) => `  $ ${line}\n      ${does}`).join('\n');
  command.addHelpText('after', `${all}\nExamples:\n${examples}`);
  command.action(async () => {
    const { run } = await spec.load();
    exit(await told(run(invocation(command)))());
  });
};

/** Every command's end: the exit code, with the sentence of one that did not work. */
const told: (ended: CliTask<number>) => Task<number> = TE.match(
  ({ message, exitCode }: CliError): number => {
    err(`imcd: ${message}`);
    return exitCode;
  },
  (exitCode) => exitCode,
);

const wrongConfig = (problems: readonly ConfigProblem[]): CliError => {
  const lines = problems.map((problem) => `  ${printable(describeProblem(problem))}`);
  return wrongUsage(`the configuration is wrong:\n${lines.join('\n')}`);
};

const configOption = (name: string, option: ConfigOption | undefined): Option => {
  if (option === undefined) return new Option(`--${name} <file>`, `file that holds ${name.slice(0, -'_file'.length)}`);
  const fallback = option.fallbackText ?? JSON.stringify(option.fallback);
  return new Option(`--${name} <value>`, `${option.meaning} (default: ${fallback})`);
};

const invocation = (command: Command): Invocation => {
  const commandLine: Record<string, string> = {};
  const options: Record<string, string | true> = {};
  let file: string | undefined;
  for (const option of command.options) {
    const value: unknown = command.getOptionValue(option.attributeName());
    const name = option.long?.slice(2) ?? '';
    if (value !== true && typeof value !== 'string') continue;
    if (name === 'config') file = String(value);
    else if (optionNames.includes(name)) commandLine[name] = String(value);
    else options[name] = value;
  }
  const sources: ConfigSources = { file, environment: process.env, commandLine };
  return {
    args: command.processedArgs.flat().filter((argument): argument is string => typeof argument === 'string'),
    options,
    sources,
    commands,
    config: pipe(loadConfig(sources), TE.mapLeft(wrongConfig)),
    out: standardOutput,
    err,
  };
};

/** Configuration flags may stand without a value (`--open`), and every option with dashes (`--store-url`). */
const normalised = (argv: readonly string[]): string[] => {
  const end = argv.indexOf('--');
  return argv.map((argument, index) => {
    const match = /^--([A-Za-z][\w.-]*)(=.*)?$/s.exec(argument);
    if (match === null || (end >= 0 && index > end)) return argument;
    const [, written = '', value] = match;
    const name = written.replaceAll('-', '_');
    if (!optionNames.includes(name)) return argument;
    const isFlag = allOptions.get(name)?.kind.codec.name === 'flag';
    const next = argv[index + 1] ?? '';
    const alone = isFlag && value === undefined && !/^(?:true|false|yes|no|0|1)$/.test(next);
    return `--${name}${alone ? '=true' : (value ?? '')}`;
  });
};
