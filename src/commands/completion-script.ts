// The scripts with which shells complete the words of `plinth`. Pure.

import type { Command } from './command.js'

export const SHELLS = ['bash', 'zsh', 'fish'] as const
type Shell = (typeof SHELLS)[number]

/** What is completed of a command. */
export type Completed = Pick<Command, 'name' | 'options' | 'actions'>

/** The lines of the script. All words in it are this program's own: letters and dashes. */
export const completionScript = (shell: Shell, commands: readonly Completed[]): string[] =>
  shell === 'fish' ? fishLines(commands) : shell === 'bash' ? bashLines(commands) : zshLines(commands)

const dashed = ({ options }: Completed): string[] => ['help', ...options].map((option) => `--${option}`)

/** The branches of a `case`: for each command its actions and options. */
const branches = (commands: readonly Completed[]): string[] =>
  commands.map(
    (command) =>
      `    ${command.name}) actions="${(command.actions ?? []).join(' ')}"; options="${dashed(command).join(' ')}";;`,
  )

const names = (commands: readonly Completed[]): string => commands.map(({ name }) => name).join(' ')

// Where no word of ours fits, bash completes file names (-o default).
const bashLines = (commands: readonly Completed[]): string[] => [
  '_plinth() {',
  '  local word="${COMP_WORDS[COMP_CWORD]}" actions="" options=""',
  '  COMPREPLY=()',
  '  if [ "$COMP_CWORD" -eq 1 ]; then',
  `    COMPREPLY=($(compgen -W "${names(commands)} help --version" -- "$word"))`,
  '    return',
  '  fi',
  '  case "${COMP_WORDS[1]}" in',
  ...branches(commands),
  `    help) actions="${names(commands)}";;`,
  '  esac',
  '  case "$word" in',
  '    -*) COMPREPLY=($(compgen -W "$options" -- "$word"));;',
  '    *) if [ "$COMP_CWORD" -eq 2 ]; then COMPREPLY=($(compgen -W "$actions" -- "$word")); fi;;',
  '  esac',
  '}',
  'complete -o default -F _plinth plinth scripts/plinth',
]

const zshLines = (commands: readonly Completed[]): string[] => [
  '#compdef plinth',
  '_plinth() {',
  '  local actions="" options=""',
  '  if (( CURRENT == 2 )); then',
  `    compadd -- ${names(commands)} help --version`,
  '    return',
  '  fi',
  '  case "${words[2]}" in',
  ...branches(commands),
  `    help) actions="${names(commands)}";;`,
  '  esac',
  '  if [[ "$PREFIX" == -* ]]; then',
  '    compadd -- ${=options}',
  '  elif (( CURRENT == 3 )) && [[ -n "$actions" ]]; then',
  '    compadd -- ${=actions}',
  '  else',
  '    _files',
  '  fi',
  '}',
  'compdef _plinth plinth',
]

const fishLines = (commands: readonly Completed[]): string[] => [
  `complete -c plinth -n __fish_use_subcommand -f -a "${names(commands)} help"`,
  'complete -c plinth -n __fish_use_subcommand -l version',
  `complete -c plinth -n "__fish_seen_subcommand_from help" -f -a "${names(commands)}"`,
  ...commands.flatMap((command) => {
    const when = `-n "__fish_seen_subcommand_from ${command.name}"`
    const { actions = [], options } = command
    return [
      ...(actions.length > 0 ? [`complete -c plinth ${when} -f -a "${actions.join(' ')}"`] : []),
      ...['help', ...options].map((option) => `complete -c plinth ${when} -l ${option}`),
    ]
  }),
]
