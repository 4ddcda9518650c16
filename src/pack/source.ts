// Where the files of a module come from: a folder on the disk, or a commit.

import type { Readable } from 'node:stream'
import type { Candidate, LeftOut } from '../gomod/module-files.js'

/** A file that can be read; `open` may be called until the source is closed. */
export type SourceFile = Candidate & { open: () => Readable }

export type Source = {
  files: SourceFile[]
  /** What was seen and not even looked into. */
  leftOut: LeftOut[]
  /** The commit that the files are of, in hex; absent for a folder. */
  commit?: string
  /** What the person should know about the choice. */
  warnings: string[]
  close: () => void
}
