// The completion of each shell, in that shell.

import { execFileSync } from 'node:child_process'
import t from 'tap'
import { completionScript } from '../../src/commands/completion-script.js'
import { needs } from '../support/programs.js'

const COMMANDS = [
  { name: 'account', actions: ['add', 'list'], options: ['read', 'expires'] },
  { name: 'publish', options: ['url', 'owner'] },
]

/** What the shell offers for the words behind `plinth`; the last of them may be begun. */
const SHELLS = {
  bash: (words: string[]): string[] => [
    '-c',
    `${completionScript('bash', COMMANDS).join('\n')}
COMP_WORDS=(plinth ${words.map((word) => `'${word}'`).join(' ')}); COMP_CWORD=${words.length}; _plinth
printf '%s\\n' "\${COMPREPLY[@]}"`,
  ],
  zsh: (words: string[]): string[] => [
    '-c',
    `compdef() { :; }; compadd() { shift; printf '%s\\n' "$@" | grep -e "^$PREFIX"; }; _files() { :; }
${completionScript('zsh', COMMANDS).join('\n')}
words=(plinth ${words.map((word) => `'${word}'`).join(' ')}); CURRENT=${words.length + 1}; PREFIX='${words.at(-1)}'; _plinth`,
  ],
  fish: (words: string[]): string[] => [
    '-c',
    `${completionScript('fish', COMMANDS).join('\n')}
complete --do-complete 'plinth ${words.join(' ')}' | cut -f1`,
  ],
}

const TABLE: [words: string[], offered: string[]][] = [
  [['ac'], ['account']],
  [
    ['account', ''],
    ['add', 'list'],
  ],
  [['account', 'l'], ['list']],
  [['account', 'add', '--ex'], ['--expires']],
  [['publish', '--o'], ['--owner']],
  [['help', 'pub'], ['publish']],
]

for (const shell of ['bash', 'zsh', 'fish'] as const)
  t.test(shell, needs(shell), async (t) => {
    for (const [words, offered] of TABLE) {
      const found = execFileSync(shell, SHELLS[shell](words), { encoding: 'utf8' })
      t.same(found.split('\n').filter(Boolean).sort(), offered, words.join(' '))
    }
  })
