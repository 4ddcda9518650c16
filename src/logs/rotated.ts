// The files of a log that is rotated: audit.log, audit.log.1, audit.log.2.gz, audit.log-20260131.gz.

import { readdir, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'

/** `.7`, `-20260131`, `-20260131-1200`, each perhaps with `.gz`. */
const ENDING = /^(?:\.(?<nth>\d{1,6})|-(?<date>\d{8}[\d-]{0,12}))(?:\.gz)?$/

// 'audit.log.3' before 'audit.log.2.gz'; dates before numbers: they are of another time, with other settings
/** The older files among `names`, the oldest first. One that is being packed is there twice: the packed one waits. */
export function olderFirst(base: string, names: readonly string[]): string[] {
  const found = names.flatMap((name) => {
    const { nth, date } = (name.startsWith(base) && ENDING.exec(name.slice(base.length))?.groups) || {}
    if (nth === undefined && date === undefined) return []
    if (name.endsWith('.gz') && names.includes(name.slice(0, -3))) return []
    return [{ name, date, nth: Number(nth ?? 0) }]
  })
  const order = (one: (typeof found)[number], other: (typeof found)[number]): number =>
    one.date !== undefined && other.date !== undefined
      ? one.date.localeCompare(other.date)
      : Number(one.date === undefined) - Number(other.date === undefined) || other.nth - one.nth
  return found.sort(order).map(({ name }) => name)
}

/**
 * The older files of the log at `path`, the oldest first, that were written to after `since` (ms since the epoch).
 * A file that is at `path`, too, is not among them: it was rotated a moment ago.
 */
export async function olderFiles(path: string, since = -Infinity): Promise<string[]> {
  const names = await readdir(dirname(path)).catch(() => [])
  const present = await stat(path).catch(() => undefined)
  const files: string[] = []
  for (const name of olderFirst(basename(path), names)) {
    const file = join(dirname(path), name)
    const status = await stat(file).catch(() => undefined) // rotated meanwhile
    if (status && status.mtimeMs >= since && status.ino !== present?.ino) files.push(file)
  }
  return files
}
