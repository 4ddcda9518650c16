// File systems of a test's own, which only root can mount.

import { execFileSync, spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { needs } from './programs.js'
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

type Mounted = { folder: string; unmount: () => void }

/**
 * A folder with a file system of another kind, mounted by `mount`, which gets the folder and a folder of its own for what
 * it needs; a string says why there is none.
 */
export function mountKind(
  programs: readonly string[],
  mount: (folder: string, aside: string, run: (program: string, ...args: string[]) => string) => void,
): Mounted | string {
  if (!root) return 'NOT TESTED: only root can mount a file system'
  const { skip } = needs(...programs)
  if (skip !== undefined) return skip
  const [folder, aside] = [tempFolder(), tempFolder()]
  try {
    mount(folder, aside, (program, ...args) =>
      execFileSync(program, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] }).trim(),
    )
  } catch (error) {
    return `NOT TESTED: this machine does not let root mount it (${String(error).split('\n')[0]})`
  }
  return { folder, unmount: unmounting(folder) }
}

/** An image of `size` with a file system that the program makes of it, mounted. */
export const mountImage = (size: string, mkfs: readonly string[], type?: string): Mounted | string =>
  mountKind([mkfs[0] ?? '', ...(type === undefined ? [] : [`mount.${type}`])], (folder, aside, run) => {
    const image = join(aside, 'image')
    run('truncate', '-s', size, image)
    run(mkfs[0] ?? '', ...mkfs.slice(1), image)
    run('mount', ...(type === undefined ? [] : ['-t', type]), '-o', 'loop', image, folder)
  })

/** `folder` seen through a FUSE file system, which remembers what it saw for so many seconds. */
export const mountAgain = (folder: string, seconds: number): Mounted | string =>
  mountKind(['bindfs'], (again, _, run) => {
    const remembers = `attr_timeout=${seconds},entry_timeout=${seconds},negative_timeout=${seconds}`
    run('bindfs', '--multithreaded', '--enable-lock-forwarding', '-o', remembers, folder, again)
  })
