// Locks the data folder for a service, whichever process starts it, and looks whether its file system will do.

import type { Config } from '../config.js'
import { mustKeepPromises } from '../filesystem/must-keep.js'
import type { Log } from '../log.js'
import { takeLock, type Lock, type Patience } from '../store/lock.js'

/**
 * Makes this process the only writer to the data folder, which must be its working directory. With PLINTH_STANDBY it
 * waits for the end of another one and tells `log` so; without, for those that `patience` names. Throws a StartProblem
 * for a file system that cannot hold what Plinth promises.
 */
export async function lockDataFolder(
  { data, standby }: Config,
  log: Log,
  patience: Patience = 'for nobody',
): Promise<Lock> {
  const onWarning = (warning: string): void => log('warn', warning)
  const lock = await takeLock(data, {
    patience: standby ? 'for everybody' : patience,
    onWait: (holder) => log('info', 'standing by', { holder }),
    onWarning,
  })
  try {
    await mustKeepPromises(data, { shared: standby, onWarning })
    return lock
  } catch (error) {
    lock.release()
    throw error
  }
}
