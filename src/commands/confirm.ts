// A question on the terminal before an action that cannot be undone.

import { createInterface } from 'node:readline/promises'
import { Refusal, visible } from '../errors.js'

/** Asks `question`. Throws unless the answer is yes, and when there is no terminal. Not called with `--yes`. */
export async function mustBeSure(question: string): Promise<void> {
  if (!process.stdin.isTTY) throw new Refusal(409, `${question} there is no terminal to ask on: say --yes`)
  const terminal = createInterface({ input: process.stdin, output: process.stderr })
  try {
    const answer = await terminal.question(`${visible(question)} [y/N] `)
    if (!/^y(es)?$/i.test(answer.trim())) throw new Refusal(409, 'nothing was changed')
  } finally {
    terminal.close()
  }
}
