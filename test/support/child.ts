// The output of a child process, and how it ends.

import type { ChildProcess } from 'node:child_process'

/** Child processes that end with this one. */
export const running = new Set<ChildProcess>()
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL')
})

/** Whether the process has ended. Its output may still hold unread bytes. */
export const isOver = (child: ChildProcess): boolean => child.exitCode !== null || child.signalCode !== null

type Ending = { code: number | null; signal: NodeJS.Signals | null }

/** Reads the output of `child` from now on. The child ends with this process at the latest. */
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
  async function matching<T>(what: string, look: () => T | undefined): Promise<T> {
    for (;;) {
      const match = look()
      if (match !== undefined) return match
      if (closed) throw new Error(`ended without ${what}: ${output}`)
      await new Promise<void>((resolve) => void waiting.push(resolve))
    }
  }
  return {
    output: () => output,
    /** Resolves when the child has ended and its output is closed. */
    ended,
    /** Resolves when the output so far matches; rejects when the child has ended without a match. */
    until: (pattern: RegExp) => matching(String(pattern), () => pattern.exec(output) ?? undefined),
    /**
     * Resolves when the output so far has `text` so many `times`. A pattern for it would take seconds on a long output,
     * and all clients of the test would stand still meanwhile.
     */
    untilTimes: async (text: string, times: number): Promise<void> => {
      let found = 0
      let from = 0
      await matching(`${times} times ${text}`, () => {
        for (let at = output.indexOf(text, from); at >= 0; at = output.indexOf(text, from)) {
          found++
          from = at + text.length
        }
        return found >= times ? true : undefined
      })
    },
  }
}
