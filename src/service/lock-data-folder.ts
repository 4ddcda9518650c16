// Locks the data folder for a service, whichever process starts it.

import type { Config } from '../config.js'
import type { Log } from '../log.js'
import { takeLock, type Lock, type Patience } from '../store/lock.js'

/**
 * Makes this process the only writer to the data folder, which must be its working directory. With PLINTH_STANDBY it
 * waits for the end of another one and tells `log` and `onWait` so; without, for those that `patience` names.
 */
export const lockDataFolder = (
  { data, runtime, standby }: Config,
  log: Log,
  patience: Patience = 'for nobody',
  onWait = (): void => {},
): Promise<Lock> =>
  takeLock(data, {
    runtime,
    patience: standby ? 'for everybody' : patience,
    onWait: (holder) => {
      log('info', 'standing by', { holder })
      onWait()
    },
    onWarning: (warning) => log('warn', warning),
  })
