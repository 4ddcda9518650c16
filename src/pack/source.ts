// A source of a module's files: a folder on the disk, or a commit.

import type { Readable } from 'node:stream'
import type { Candidate, LeftOut } from '../gomod/module-files.js'

/** A file that can be read; `open` may be called until the source is closed. */
export type SourceFile = Candidate & { open: () => Readable }

export type Source = {
  files: SourceFile[]
  /** Files and folders that were seen and not read. */
  leftOut: LeftOut[]
  /** The commit of the files, in hex; absent for a folder. */
  commit?: string
  /** Warnings about the choice, for the person who packs. */
  warnings: string[]
  close: () => void
}
