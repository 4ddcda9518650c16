// By what a file is known again.

import type { Stats } from 'node:fs'

/** What is the same as long as nobody touches a file: writing changes the times, replacing the inode. */
export const signatureOf = ({ dev, ino, size, mtimeMs, ctimeMs }: Stats): string =>
  [dev, ino, size, mtimeMs, ctimeMs].join(' ')
