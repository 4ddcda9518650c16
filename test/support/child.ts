// What a child process says, and how it ends.

import type { ChildProcess } from 'node:child_process'

/** Child processes that end with this one. */
export const running = new Set<ChildProcess>()
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL')
})

/** Whether a process is gone, whatever of it is still to be read. */
export const isOver = (child: ChildProcess): boolean => child.exitCode !== null || child.signalCode !== null

export type Ending = { code: number | null; signal: NodeJS.Signals | null }

/** Reads all that `child` says from now on; it ends with this process at the latest. */
export function watch(child: ChildProcess) {
  running.add(child)
  let output = ''
  let closed = false
  const waiting: (() => void)[] = []
  const changed = (): void => waiting.splice(0).forEach((look) => look())
  for (const stream of [child.stdout, child.stderr])
    stream?.on('data', (text: Buffer) => {
      output += text.toString()
      changed()
    })
  child.once('error', (error) => (output += error.message)) // there is no such program; 'close' follows
  const ended = new Promise<Ending>((resolve) =>
    child.once('close', (code, signal) => {
      closed = true
      running.delete(child)
      changed()
      resolve({ code, signal })
    }),
  )
  return {
    output: () => output,
    /** Resolves when it has ended, and everybody who could write to its output. */
    ended,
    /** Resolves when what it said so far matches; rejects when it has ended without. */
    until: async (pattern: RegExp): Promise<RegExpExecArray> => {
      for (;;) {
        const match = pattern.exec(output)
        if (match) return match
        if (closed) throw new Error(`ended without ${String(pattern)}: ${output}`)
        await new Promise<void>((resolve) => void waiting.push(resolve))
      }
    },
  }
}
