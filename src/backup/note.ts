// What a backup says of itself, in a file of its own.

import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { backupNotePath } from '../layout.js'
import { parseJson } from '../store/parse-json.js'
import { unlessAbsent } from '../store/reading.js'

/** Times are ISO texts. `files` counts all, `damaged` names those that are not what was uploaded. */
type BackupNote = { begun: string; ended: string; files: number; damaged: string[] }

/** The note of the backup in `folder` (absolute); `undefined` when there is none, or none that can be read. */
export async function readNote(folder: string): Promise<BackupNote | undefined> {
  const text = await unlessAbsent(readFile(join(folder, backupNotePath), 'utf8'))
  const note = (parseJson(text ?? '') ?? {}) as Partial<Record<keyof BackupNote, unknown>>
  const { begun, ended, files, damaged } = note
  const isRight =
    typeof begun === 'string' &&
    !Number.isNaN(Date.parse(begun)) &&
    typeof ended === 'string' &&
    typeof files === 'number' &&
    Array.isArray(damaged) &&
    damaged.every((path) => typeof path === 'string')
  return isRight ? { begun, ended, files, damaged } : undefined
}

/** Writes the note. The caller syncs the folder. */
export const writeNote = (folder: string, note: BackupNote): Promise<void> =>
  writeFile(join(folder, backupNotePath), `${JSON.stringify(note, undefined, 2)}\n`, { mode: 0o600 })
