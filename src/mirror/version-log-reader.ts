// Reads an owner's log of module versions on from where the last pass stopped.

import { createHash } from 'node:crypto'
import { open, type FileHandle } from 'node:fs/promises'
import { unlessAbsent } from '../store/reading.js'
import { parseLogLine } from '../views/feed.js'

/** Where a pass has stopped: a byte behind a line's end, and the hash of what stands before it. */
type LogPlace = { offset: number; tail: string }

/** The hash is of so many bytes: times of publication are among them. */
const TAIL_BYTES = 1024
const READ_BYTES = 1 << 20
const NEWLINE = 10

export const START: LogPlace = { offset: 0, tail: '' }

/** The end of the whole lines; {@link START} when there is no log. */
export async function endOfLog(path: string): Promise<LogPlace> {
  const handle = await unlessAbsent(open(path, 'r'))
  if (!handle) return START
  try {
    const { size } = await handle.stat()
    // A line that is being written has no end yet. No line is longer than this.
    const from = Math.max(0, size - 16 * TAIL_BYTES)
    const last = (await bytesOf(handle, from, size)).lastIndexOf(NEWLINE)
    return last < 0 ? START : await placeAt(handle, from + last + 1)
  } finally {
    await handle.close()
  }
}

/**
 * The module versions of the lines between two places, by module; `undefined` when they are not of one log, and when
 * there are more lines than `most`.
 */
export async function changedVersions(
  path: string,
  from: LogPlace,
  to: LogPlace,
  most: number,
): Promise<Map<string, Set<string>> | undefined> {
  const changed = new Map<string, Set<string>>()
  if (to.offset < from.offset) return undefined
  const handle = await unlessAbsent(open(path, 'r'))
  if (!handle) return from.offset === 0 ? changed : undefined
  try {
    if ((await placeAt(handle, from.offset)).tail !== from.tail) return undefined
    let lines = 0
    for (let at = from.offset; at < to.offset;) {
      const bytes = await bytesOf(handle, at, Math.min(to.offset, at + READ_BYTES))
      const end = bytes.lastIndexOf(NEWLINE) + 1
      if (end === 0) return undefined
      for (const text of bytes
        .subarray(0, end - 1)
        .toString()
        .split('\n')) {
        const line = parseLogLine(text)
        if (++lines > most || !line) return undefined
        const versions = changed.get(line.path)
        if (versions) versions.add(line.version)
        else changed.set(line.path, new Set([line.version]))
      }
      at += end
    }
    return changed
  } finally {
    await handle.close()
  }
}

async function placeAt(handle: FileHandle, offset: number): Promise<LogPlace> {
  if (offset === 0) return START
  const tail = await bytesOf(handle, Math.max(0, offset - TAIL_BYTES), offset)
  return { offset, tail: createHash('sha256').update(tail).digest('hex') }
}

async function bytesOf(handle: FileHandle, from: number, to: number): Promise<Buffer> {
  const { buffer, bytesRead } = await handle.read(Buffer.alloc(to - from), 0, to - from, from)
  return buffer.subarray(0, bytesRead)
}
