// The file in which `plinth sumdb check` remembers the newest head that it has seen.

import {
  closeSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs'
import { dirname } from 'node:path'
import type { NotedHead } from '../sumdb/database-client.js'
import { openHead, type Verifier } from '../sumdb/note.js'

const MAX_BYTES = 64 * 1024

/**
 * The head in the file; `undefined` when there is no file. Throws for any other file, and for a head that another key
 * signed: a check that forgets what it has seen would not be one.
 */
export function readRemembered(path: string, verifier: Verifier): NotedHead | undefined {
  const stat = statSync(path, { throwIfNoEntry: false })
  if (!stat) return undefined
  const text = stat.isFile() && stat.size <= MAX_BYTES ? readFileSync(path, 'utf8') : ''
  const head = openHead(text, verifier)
  if (head) return { ...head, text }
  throw new Error(
    `${path} is no head that ${verifier.name}+${verifier.id} signed; if the database has another key by now, ` +
      'and you know why, remove the file',
  )
}

/** Writes the head into the file, which is replaced as a whole. The folders of a new file are made. */
export function remember(path: string, head: NotedHead): void {
  mkdirSync(dirname(path), { recursive: true })
  const fresh = `${path}.${process.pid}.new`
  rmSync(fresh, { force: true }) // of an earlier process with this number, which was killed
  const file = openSync(fresh, 'wx', 0o644)
  try {
    writeSync(file, head.text)
    fsyncSync(file)
    renameSync(fresh, path)
  } catch (error) {
    rmSync(fresh, { force: true })
    throw error
  } finally {
    closeSync(file)
  }
}
