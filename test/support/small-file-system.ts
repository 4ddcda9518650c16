// File systems of a test's own, which only root can mount.

import { execFileSync, spawnSync } from 'node:child_process'
import { tempFolder } from './temp-folder.js'

export const root = process.getuid?.() === 0

/** A small file system in memory, with these options of tmpfs; a string says why there is none. */
export function mountSmall(options: string): { folder: string; unmount: () => void } | string {
  if (!root) return 'NOT TESTED: only root can mount a file system'
  const folder = tempFolder()
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', folder], { stdio: 'ignore' })
  } catch {
    return 'NOT TESTED: this machine does not let root mount a tmpfs'
  }
  return { folder, unmount: unmounting(folder) }
}

/** Also done when the process ends before its test does: nothing stays mounted. */
export function unmounting(folder: string): () => void {
  let mounted = true
  const unmount = (): void => {
    if (mounted) spawnSync('umount', ['-l', folder])
    mounted = false
  }
  process.prependListener('exit', unmount)
  return unmount
}
