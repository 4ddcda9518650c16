// When a version was published, by its .info in a module cache. Pure.

import { quote } from '../errors.js'
import { pseudoVersionTime } from '../gomod/semver.js'
import { parseJson } from '../store/parse-json.js'

/** The latest time, in seconds since the epoch, that every file system can keep for a file (32 bits, unsigned). */
const MAX_SECONDS = 2 ** 32 - 1
const RFC3339 = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d+)?(?:Z|[+-]\d{2}:\d{2})$/

const canBeKept = (time: Date): boolean => time.getTime() >= 0 && time.getTime() <= MAX_SECONDS * 1000

const shown = (value: unknown): string =>
  quote(typeof value === 'string' ? value : String(JSON.stringify(value)))

/**
 * Reads the text of the `.info` of `version` (`{"Version":"v1.0.0","Time":"2020-01-02T03:04:05Z"}`). The time is in
 * whole seconds: it becomes the mtime of the zip, from which everything is derived again, and not every file system
 * keeps more. There is no `time` when the text has none, and when no file can have it (a proxy that knows no time may
 * send the year 1). There is a `problem` when the text is not an .info of this version.
 */
export function infoTime(version: string, text: string): { time?: Date } | { problem: string } {
  const info = parseJson(text)
  if (info === undefined) return { problem: 'its .info is not JSON' }
  if (typeof info !== 'object' || info === null) return { problem: 'its .info is not an object' }
  const { Version: named, Time: time } = info as Record<string, unknown>
  if (named !== version) return { problem: `its .info is of version ${shown(named)}` }
  if (time === undefined || time === null) return {}
  const ms = typeof time === 'string' && RFC3339.test(time) ? Date.parse(time) : NaN
  if (Number.isNaN(ms)) return { problem: `its .info has the time ${shown(time)}` }
  const published = new Date(Math.floor(ms / 1000) * 1000)
  return canBeKept(published) ? { time: published } : {}
}

/**
 * When a version without a time in its `.info` was published: a pseudo-version has the time, if a file can have it
 * (that of `v0.0.0-00010101000000-000000000000` is the year 1), else `otherwise`.
 */
export function timeWithoutInfo(version: string, otherwise: Date): Date {
  const time = pseudoVersionTime(version)
  return time && canBeKept(time) ? time : otherwise
}
