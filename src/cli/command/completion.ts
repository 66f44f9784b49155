import * as TE from 'fp-ts/lib/TaskEither.js';
import { allOptions } from '../../config/config.ts';
import { optionNames } from '../../config/load.ts';
import { methods } from '../../mi/methods.ts';
import { wrongUsage } from '../cli-error.ts';
import type { CommandSpec, Run } from '../invocation.ts';
import { printLines } from '../terminal/stdout.ts';

/** `imcd completion bash|zsh|fish`: a script for the shell, made from the commands, their options and the MI methods. */
export const run: Run = ({ args, commands, out }) => {
  const shell = args[0] ?? '';
  const script = scripts.get(shell);
  if (script === undefined) return TE.left(wrongUsage(`${JSON.stringify(shell)}: allowed is bash, zsh or fish`));
  return TE.fromTask(printLines(out, [script(commands.map(completed)).trim()]));
};

interface Completed {
  readonly name: string;
  readonly summary: string;
  readonly flags: readonly string[];
}

const everywhere = ['--config', '--help', ...optionNames.map((name) => `--${name}`)];

const completed = ({ usage, summary, options = [] }: CommandSpec): Completed => ({
  name: usage.split(' ', 1)[0] ?? '',
  summary,
  flags: options.map(([flags]) => /--[\w.-]+/.exec(flags)?.[0] ?? ''),
});

const methodNames = () => methods.map(({ spellings }) => spellings[0] ?? '').join(' ');
/** In single quotes for sh and its kin. */
const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;

const bash = (all: readonly Completed[]) => `
# imcd completion for bash: eval "$(imcd completion bash)"
_imcd() {
  local word="\${COMP_WORDS[COMP_CWORD]}" command="\${COMP_WORDS[1]}" words=""
  if [ "$COMP_CWORD" -eq 1 ]; then
    words="${all.map(({ name }) => name).join(' ')} help"
  else
    case "$command" in
${all
  .map(({ name, flags }) => `      ${name}) words="${flags.join(' ')}${name === 'mi' ? ` ${methodNames()}` : ''}" ;;`)
  .join('\n')}
    esac
    words="$words ${everywhere.join(' ')}"
  fi
  COMPREPLY=($(compgen -W "$words" -- "$word"))
  [ \${#COMPREPLY[@]} -eq 0 ] && COMPREPLY=($(compgen -f -- "$word"))
}
complete -F _imcd imcd
`;

const zsh = (all: readonly Completed[]) => `
#compdef imcd
# imcd completion for zsh: imcd completion zsh > "\${fpath[1]}/_imcd"
_imcd() {
  local -a commands
  commands=(
${all.map(({ name, summary }) => `    ${quoted(`${name}:${summary.replaceAll(':', '\\:')}`)}`).join('\n')}
  )
  if (( CURRENT == 2 )); then
    _describe command commands
    return
  fi
  case "$words[2]" in
${all
  .map(
    ({ name, flags }) =>
      `    ${name}) compadd -- ${[...flags, ...(name === 'mi' ? [methodNames()] : [])].join(' ')} ;;`,
  )
  .join('\n')}
  esac
  compadd -- ${everywhere.join(' ')}
  _files
}
_imcd "$@"
`;

const fish = (all: readonly Completed[]) =>
  [
    '# imcd completion for fish: imcd completion fish > ~/.config/fish/completions/imcd.fish',
    ...all.flatMap(({ name, summary, flags }) => [
      `complete -c imcd -n __fish_use_subcommand -f -a ${name} -d ${quoted(summary)}`,
      ...flags.map((flag) => `complete -c imcd -n '__fish_seen_subcommand_from ${name}' -l ${flag.slice(2)}`),
    ]),
    `complete -c imcd -n '__fish_seen_subcommand_from mi' -f -a ${quoted(methodNames())}`,
    ...optionNames.map((name) => {
      const meaning = allOptions.get(name)?.meaning ?? 'a file that holds it';
      return `complete -c imcd -l ${name} -d ${quoted(meaning)}`;
    }),
  ].join('\n');

const scripts: ReadonlyMap<string, (all: readonly Completed[]) => string> = new Map(
  Object.entries({ bash, zsh, fish }),
);
