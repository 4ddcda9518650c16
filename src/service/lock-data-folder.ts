// Locks the data folder for a service, whichever process starts it, and looks whether its file system will do.

import type { Config } from '../config.js'
import { mustKeepPromises } from '../filesystem/must-keep.js'
import type { Log } from '../log.js'
import { isOneOfSeveral } from '../settings/runtime-files.js'
import { takeLock, type Lock, type Patience } from '../store/lock.js'

/** Throws a StartProblem for a file system that cannot hold what Plinth promises. */
export const mustBeOnGoodFilesystem = (config: Config, onWarning: (warning: string) => void): Promise<void> =>
  mustKeepPromises(config.data, {
    runtime: config.runtime,
    shared: isOneOfSeveral(config) || config.internalListen !== undefined,
    onWarning,
  })

/**
 * Makes this process the only writer to the data folder, which must be its working directory. With PLINTH_STANDBY it
 * waits for the end of another one and tells `log` and `onWait` so; without, for those that `patience` names. Throws a
 * StartProblem for a file system that cannot hold what Plinth promises.
 */
export async function lockDataFolder(
  config: Config,
  log: Log,
  patience: Patience = 'for nobody',
  onWait: (fd: number) => void = () => {},
): Promise<Lock> {
  const { data, runtime, standby } = config
  const onWarning = (warning: string): void => log('warn', warning)
  const lock = await takeLock(data, {
    runtime,
    patience: standby ? 'for everybody' : patience,
    onWait: (holder, fd) => {
      log('info', 'standing by', { holder })
      onWait(fd)
    },
    onWarning,
  })
  try {
    await mustBeOnGoodFilesystem(config, onWarning)
    return lock
  } catch (error) {
    lock.release()
    throw error
  }
}
