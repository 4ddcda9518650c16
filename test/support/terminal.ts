// A command on a terminal of its own, made by script(1).

import { spawn } from 'node:child_process'
import { CLI } from './cli.js'

/** Types `answer` and a newline when `question` has been shown. Resolves with the exit code and all that was shown. */
export const onTerminal = (
  settings: Record<string, string>,
  words: readonly string[],
  { question, answer }: { question?: string; answer?: string } = {},
): Promise<{ code: number | null; output: string }> =>
  new Promise((resolve) => {
    const quoted = words.map((word) => `'${word.replaceAll("'", `'\\''`)}'`).join(' ')
    const child = spawn('script', ['-qec', `"$TEST_NODE" "$TEST_CLI" ${quoted}`, '/dev/null'], {
      env: {
        PATH: process.env['PATH'],
        TERM: 'dumb',
        ...settings,
        TEST_NODE: process.execPath, // a path may hold spaces
        TEST_CLI: CLI,
      },
    })
    let output = ''
    let asked = false
    child.stdout.on('data', (text: Buffer) => {
      output += text
      if (asked || question === undefined || !output.includes(question)) return
      asked = true
      child.stdin.write(`${answer}\n`)
    })
    child.once('close', (code) => resolve({ code, output }))
  })
