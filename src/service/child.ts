// How a child process ends, and how it is ended.

import type { ChildProcess } from 'node:child_process'
import { inTime } from '../shares/in-time.js'

/** Why everything ends, and with which exit code. */
export type Ending = { code: number; reason: string }

/** Resolves when the child process `name` has ended or could not be started: a failure, whatever its exit code. */
export const endingOf = (name: string, child: ChildProcess): Promise<Ending> =>
  new Promise((resolve) => {
    const fail = (how: string): void => resolve({ code: 1, reason: `${name} ${how}` })
    child.once('error', (error) => fail(`could not be started: ${error.message}`))
    child.once('exit', (code, signal) => fail(signal ? `was ended by ${signal}` : `ended with code ${code}`))
  })

/** Resolves when the child process says `word` by its channel. */
export const says = (child: ChildProcess, word: string): Promise<void> =>
  new Promise((resolve) => {
    child.on('message', (said) => {
      if (said === word) resolve()
    })
  })

/** How long a process may take to go after SIGKILL. One that waits in a system call which never ends does not go. */
const KILLED_MS = 2000

/** Sends SIGKILL. Resolves when the process has gone, or does not go. */
export async function killChild(child: ChildProcess): Promise<void> {
  const gone = new Promise<void>((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null) resolve()
    else child.once('exit', () => resolve())
  })
  child.kill('SIGKILL')
  await inTime(KILLED_MS, undefined, gone)
}

/** Sends `signal`, then SIGKILL after `graceMs`. Resolves when the process has ended, at once when it did before. */
export async function stopChild(child: ChildProcess, signal: NodeJS.Signals, graceMs: number): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return
  const gone = new Promise((resolve) => child.once('exit', resolve))
  child.kill(signal)
  const timer = setTimeout(() => child.kill('SIGKILL'), graceMs)
  await gone
  clearTimeout(timer)
}
