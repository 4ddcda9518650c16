// Questions on the terminal: before an action that cannot be undone, and for a secret.

import { createInterface } from 'node:readline/promises'
import { Refusal, visible } from '../errors.js'
import { printError, showQuestion } from './print.js'

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

/** Asks for a secret, which the terminal does not show. Without a terminal it is the first line of standard input. */
export async function askSecret(question: string): Promise<string> {
  const isTerminal = process.stdin.isTTY
  // What is typed is echoed by `output`: without one nothing is.
  const terminal = createInterface({ input: process.stdin, terminal: isTerminal })
  try {
    if (isTerminal) showQuestion(question)
    for await (const line of terminal) return line.trim()
    throw new Refusal(400, 'nothing was given on standard input')
  } finally {
    terminal.close()
    if (isTerminal) printError('')
  }
}
