/** Completions for shells, made from the same table as the commands themselves. Pure. */
import type { OptionSpec } from './command.ts';

export const shells = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof shells)[number];

export interface Completable {
  readonly name: string;
  readonly summary: string;
  readonly options: readonly OptionSpec[];
}

/** @returns a script for the shell to source: commands, their options, and files of this host */
export function completionScript(shell: Shell, commands: readonly Completable[]): string {
  return scripts[shell](commands);
}

const scripts: Readonly<Record<Shell, (commands: readonly Completable[]) => string>> = {
  bash: (commands) => `# weft completions for bash: source <(weft completion bash)
_weft() {
  local word="\${COMP_WORDS[COMP_CWORD]}" command="" at words
  for ((at = 1; at < COMP_CWORD; at++)); do
    [[ "\${COMP_WORDS[at]}" != -* ]] && { command="\${COMP_WORDS[at]}"; break; }
  done
  case "$command" in
    "") words="${commands.map(({ name }) => name).join(' ')}" ;;
${commands.map(({ name, options }) => `    ${name}) words="${flagsOf(options).join(' ')}" ;;`).join('\n')}
    *) words="" ;;
  esac
  COMPREPLY=()
  # With a command, words are options: anything else is a file, which bash completes by itself.
  [[ -n "$command" && "$word" != -* ]] || COMPREPLY=($(compgen -W "$words" -- "$word"))
}
complete -o default -F _weft weft
`,

  zsh: (commands) => `#compdef weft
# weft completions for zsh: source <(weft completion zsh)
_weft() {
  local -a commands=(
${commands.map(({ name, summary }) => `    ${quoted(`${name}:${summary}`)}`).join('\n')}
  )
  if (( CURRENT == 2 )); then _describe command commands; return; fi
  case "$words[2]" in
${commands
  .map(({ name, options }) => {
    const specs = options.flatMap(({ flags, summary }) =>
      flagsOf([{ flags, summary }]).map((flag) =>
        quoted(
          `${flag}[${summary.replace(/[[\]]/g, '\\$&')}]${flags.includes('<') ? ':value:' : ''}`,
        ),
      ),
    );
    return `    ${name}) _arguments ${[...specs, quoted('*:file:_files')].join(' ')} ;;`;
  })
  .join('\n')}
  esac
}
compdef _weft weft
`,

  fish: (commands) => `# weft completions for fish: weft completion fish | source
${commands
  .flatMap(({ name, summary, options }) => [
    `complete -c weft -n __fish_use_subcommand -f -a ${name} -d ${quoted(summary)}`,
    ...options.map((option) => {
      const flags = flagsOf([option]).map((flag) =>
        flag.startsWith('--') ? `-l ${flag.slice(2)}` : `-s ${flag.slice(1)}`,
      );
      const value = option.flags.includes('<') ? ' -r' : '';
      const where = `-n '__fish_seen_subcommand_from ${name}'`;
      return `complete -c weft ${where} ${flags.join(' ')}${value} -d ${quoted(option.summary)}`;
    }),
  ])
  .join('\n')}
`,
};

/** `-r, --recursive <x>` as `-r` and `--recursive`. */
function flagsOf(options: readonly OptionSpec[]): readonly string[] {
  return options.flatMap(({ flags }) => flags.match(/(?<![\w-])--?[\w-]+/g) ?? []);
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
