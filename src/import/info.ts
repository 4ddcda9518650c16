// What a cache's small files say of a version. Pure.

import { pseudoVersionTime } from '../gomod/semver.js'

/** Seconds since the epoch that every file system can keep as the time of a file (32 bits, unsigned). */
const MAX_SECONDS = 2 ** 32 - 1
const RFC3339 = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d+)?(?:Z|[+-]\d{2}:\d{2})$/

/**
 * The time of publication by the `.info` of `version` (`{"Version":"v1.0.0","Time":"2020-01-02T03:04:05Z"}`), in whole
 * seconds: it becomes the mtime of the zip, of which everything is derived again, and not every file system keeps
 * more. Without a time it is `undefined`, and with one that no file can have (a proxy that knows none may say the year
 * 1). `problem` for what is no .info of this version.
 */
export function infoTime(version: string, text: string): { time?: Date } | { problem: string } {
  let info: unknown
  try {
    info = JSON.parse(text)
  } catch {
    return { problem: 'its .info is no JSON' }
  }
  if (typeof info !== 'object' || info === null) return { problem: 'its .info is no object' }
  const { Version: named, Time: time } = info as Record<string, unknown>
  if (named !== version) return { problem: `its .info is of version ${JSON.stringify(named)}` }
  if (time === undefined || time === null) return {}
  const ms = typeof time === 'string' && RFC3339.test(time) ? Date.parse(time) : NaN
  if (Number.isNaN(ms)) return { problem: `its .info has the time ${JSON.stringify(time)}` }
  const seconds = Math.floor(ms / 1000)
  return seconds < 0 || seconds > MAX_SECONDS ? {} : { time: new Date(seconds * 1000) }
}

/** When a version was published of which no `.info` tells: a pseudo-version says it, else `otherwise`. */
export const timeWithoutInfo = (version: string, otherwise: Date): Date =>
  pseudoVersionTime(version) ?? otherwise
