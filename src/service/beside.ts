// A command's work on the data folder: done by the running service, in step with its uploads; without one by us, who
// hold the folder's lock meanwhile.

import { statSync } from 'node:fs'
import { join } from 'node:path'
import type { Config } from '../config.js'
import { askService } from './control.js'
import { StartProblem } from '../errors.js'
import { folders } from '../layout.js'
import { takeLock } from '../store/lock.js'
import { makeLog } from '../log.js'
import { openParts, type Parts } from './parts.js'

/** `name` and `asked` go to the service; `alone` does it without one, after what a crash left is put right if it `changes`. */
export type Work<Event> = {
  name: string
  asked: object
  changes: boolean
  alone: (parts: Parts) => AsyncGenerator<Event>
}

/** The work's events. The process stands in the data folder from then on. */
export async function* besideService<Event extends object>(
  { data }: Config,
  { name, asked, changes, alone }: Work<Event>,
): AsyncGenerator<Event> {
  try {
    process.chdir(data)
  } catch {
    throw new StartProblem(`there is no data folder at ${data}: set PLINTH_DATA`)
  }
  const answered = await askService<Event>(name, asked)
  if (answered) return yield* answered
  dropToOwner(data)
  const lock = await takeLock(data, {
    onWarning: (text) => process.stderr.write(`plinth: warning: ${text}\n`),
  })
  const parts = openParts(
    data,
    makeLog((line) => process.stderr.write(line)),
  )
  try {
    if (changes) await parts.recover()
    yield* alone(parts)
  } finally {
    await parts.zips.close()
    lock.release()
  }
}

// What root writes, the service could not replace: root becomes the user that the tree belongs to.
function dropToOwner(data: string): void {
  const { uid, gid } = statSync(join(data, folders.tree), { throwIfNoEntry: false }) ?? {}
  if (process.getuid?.() !== 0 || uid === undefined || gid === undefined || uid === 0) return
  process.setgroups?.([gid])
  process.setgid?.(gid)
  process.setuid?.(uid)
}
