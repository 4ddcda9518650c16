// flock(2) on a file that we opened. Node has no call for it, but a lock belongs to the open file, not to the process
// that asked for it: util-linux's (or busybox's) program `flock` locks the descriptor that we hand to it, and ends. The
// kernel frees the lock when its last holder closes the file or is gone, however that went.

import { spawn } from 'node:child_process'
import { errno } from '../errors.js'

/** `held`: by another one; only `try` says so, `wait` waits. `no flock`: this machine has no such program. */
export type FlockOutcome = 'locked' | 'held' | 'no flock'

/**
 * Locks the open file `fd`. Rejects with what the program said when the file cannot be locked, and when no process can
 * be started at the moment: that is no machine without the program.
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
