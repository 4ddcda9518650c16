// A temporary folder that is removed afterwards: on success, on failure, and on Ctrl-C.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

/** Runs `action` with a new folder in `base` that only this user can enter. A signal removes it and ends us. */
export async function withTempFolder<T>(action: (folder: string) => Promise<T>, base = tmpdir()): Promise<T> {
  const folder = mkdtempSync(join(base, '.plinth-'))
  const remove = (): void => rmSync(folder, { recursive: true, force: true })
  const stop = (signal: NodeJS.Signals): void => {
    remove()
    forget()
    process.kill(process.pid, signal) // as if there were no listener
  }
  const forget = (): void => SIGNALS.forEach((signal) => void process.off(signal, stop))
  SIGNALS.forEach((signal) => void process.on(signal, stop))
  try {
    return await action(folder)
  } finally {
    forget()
    remove()
  }
}
