// A question on the terminal before something that cannot be undone.

import { createInterface } from 'node:readline/promises'
import { Refusal } from '../errors.js'

/** Asks `question`; throws unless the answer is yes, and where there is nobody to ask. `--yes` is the answer ahead. */
export async function mustBeSure(question: string): Promise<void> {
  if (!process.stdin.isTTY) throw new Refusal(409, `${question} there is no terminal to ask on: say --yes`)
  const terminal = createInterface({ input: process.stdin, output: process.stderr })
  try {
    const answer = await terminal.question(`${question} [y/N] `)
    if (!/^y(es)?$/i.test(answer.trim())) throw new Refusal(409, 'nothing was changed')
  } finally {
    terminal.close()
  }
}
