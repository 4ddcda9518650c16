// Finds who holds the data folder for a backup: the running service, or nobody, and then this process holds it.

import { readFile } from 'node:fs/promises'
import { holdingAccessLock } from '../access/lock.js'
import { SourceGone, type BackupSource } from '../backup/backup.js'
import type { Config } from '../config.js'
import { StartProblem } from '../errors.js'
import { runtimeFiles } from '../settings/runtime-files.js'
import { takeLock } from '../store/lock.js'
import { Store } from '../store/store.js'
import { LOCAL_USER } from '../audit/local-user.js'
import type { HoldEvent, TouchedEvent, WatchEvent } from './backup-jobs.js'
import { askService } from './control.js'
import { warn } from './terminal.js'

/** How long the service of an `npm start` that runs may take to start again. */
const PATIENCE_MS = 30_000
const RETRY_MS = 200

/** Runs `use` with the one who holds the data folder, which becomes the working directory. */
export async function withBackupSource<T>(
  config: Config,
  use: (source: BackupSource) => Promise<T>,
): Promise<T> {
  try {
    process.chdir(config.data)
  } catch {
    throw new StartProblem(`there is no data folder at ${config.data}: set PLINTH_DATA`)
  }
  const watching = await findService(config)
  return watching ? withService(config, watching, use) : withoutService(config, use)
}

async function findService({ runtime }: Config): Promise<AsyncGenerator<WatchEvent> | undefined> {
  for (const begun = performance.now(); ;) {
    const watching = await askService<WatchEvent>(runtime, 'backup', {}, LOCAL_USER.by)
    // While this process held the folder, a service that is just being started again would have to wait.
    const isHoped = performance.now() - begun < PATIENCE_MS && (await isSupervised(runtime))
    if (watching || !isHoped) return watching
    await new Promise((resolve) => setTimeout(resolve, RETRY_MS))
  }
}

/** Whether an `npm start` of this machine may run on the data folder. */
async function isSupervised(runtime: string): Promise<boolean> {
  try {
    process.kill(Number(await readFile(runtimeFiles(runtime).startPid, 'utf8')), 0)
    return true
  } catch {
    return false
  }
}

async function withService<T>(
  config: Config,
  watching: AsyncGenerator<WatchEvent>,
  use: (source: BackupSource) => Promise<T>,
): Promise<T> {
  const store = new Store(config.data)
  try {
    const { watch } = await first(watching, (event) => ('watch' in event ? event : undefined))
    const touched = (since: number): Promise<TouchedEvent> =>
      ask<TouchedEvent>(config.runtime, 'touched', { watch, since })
    return await use({
      isStill: false,
      touched,
      holdAccess: (action) => holdingAccessLock(store, action),
      async hold(key, action) {
        const holding = await gone(
          askService<HoldEvent>(config.runtime, 'hold', { watch, key }, LOCAL_USER.by),
        )
        try {
          const { entries, count } = await first(holding, (event) => ('entries' in event ? event : undefined))
          await action(entries)
          return !(await touched(count)).keys.includes(key)
        } finally {
          await holding.return(undefined)
        }
      },
    })
  } finally {
    await watching.return(undefined)
  }
}

async function withoutService<T>(config: Config, use: (source: BackupSource) => Promise<T>): Promise<T> {
  const lock = await takeLock(config.data, { command: 'backup', runtime: config.runtime, onWarning: warn })
  const store = new Store(config.data)
  try {
    return await use({
      isStill: true,
      touched: async () => ({ keys: [], count: 0 }),
      hold: async (_key, action) => {
        await action([])
        return true
      },
      holdAccess: (action) => holdingAccessLock(store, action),
    })
  } finally {
    lock.release()
  }
}

/** The events, of a service that is still there. */
async function gone<T>(asked: Promise<T | undefined>): Promise<T> {
  const events = await asked
  if (events === undefined) throw new SourceGone('the service ended')
  return events
}

/** The first event, when it is the one that is expected. */
async function first<Event, T>(
  events: AsyncGenerator<Event>,
  pick: (event: Event) => T | undefined,
): Promise<T> {
  const { value, done } = await events.next().catch((error: unknown) => {
    throw new SourceGone('the service ended', { cause: error })
  })
  const picked = done === true ? undefined : pick(value as Event)
  if (picked === undefined) throw new SourceGone('the service ended')
  return picked
}

async function ask<Event extends object>(runtime: string, name: string, request: object): Promise<Event> {
  const events = await gone(askService<Event>(runtime, name, request, LOCAL_USER.by))
  try {
    return await first(events, (event) => event)
  } finally {
    await events.return(undefined)
  }
}
