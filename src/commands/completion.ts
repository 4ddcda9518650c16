// `plinth completion`: what a shell needs to complete the words of this command.

import { WrongUsage, type Command } from './command.js'
import { completionScript, SHELLS, type Completed } from './completion-script.js'
import { print } from './print.js'

/** The command that prints the script for those that `load` resolves with. */
export function completionOf(load: () => Promise<readonly Completed[]>): Command {
  return {
    name: 'completion',
    actions: [...SHELLS],
    options: [],
    anywhere: () => true,
    usage: `  completion bash|zsh|fish                print what lets this shell complete commands and options:
                                          eval "$(plinth completion bash)" in ~/.bashrc, the same for zsh;
                                          plinth completion fish > ~/.config/fish/completions/plinth.fish`,

    async run(words) {
      const shell = SHELLS.find((each) => each === words[0])
      if (shell === undefined || words.length > 1) throw new WrongUsage('completion takes bash, zsh or fish')
      print(completionScript(shell, await load()))
      return 0
    },
  }
}
