// flock(2) on an open file. Node has no call for it. But a lock belongs to the open file, not to the process that asks
// for it: the program `flock` of util-linux or busybox locks the descriptor that it inherits, and ends. The kernel
// frees the lock when the last process that has the file open closes it or ends.

import { spawn } from 'node:child_process'
import { errno } from '../errors.js'

/** `held`: another process has the lock; `wait` never gives this. `no flock`: this machine has no such program. */
export type FlockOutcome = 'locked' | 'held' | 'no flock'

/**
 * Locks the open file `fd`. Rejects with the program's message when the file cannot be locked. Rejects, too, when no
 * process can be started at the moment, which is not the same as a machine without the program.
 */
export const flock = (fd: number, how: 'try' | 'wait'): Promise<FlockOutcome> =>
  new Promise((resolve, reject) => {
    const child = spawn('flock', [how === 'try' ? '-n' : '-x', '3'], {
      stdio: ['ignore', 'ignore', 'pipe', fd],
    })
    let said = ''
    child.stderr?.on('data', (text: Buffer) => (said += text.toString()))
    child.once('error', (error) => {
      if (errno(error) === 'ENOENT') resolve('no flock')
      else reject(error)
    })
    child.once('close', (code) => {
      if (code === 0) resolve('locked')
      else if (code === 1 && how === 'try') resolve('held')
      else reject(new Error(said.trim() || `flock ended with ${String(code)}`))
    })
  })
