// A file system that dates bytes when they come to the disk: the first sync of a file after a write to it loses the
// time that was set before.

import { open, type FileHandle } from 'node:fs/promises'

const DATED = new Date('2002-02-02T02:02:02Z')

/**
 * Runs `action` on such a file system. `keeps` says whether a time that is set on a synced file stays. Resolves with
 * how many times were lost.
 */
export async function onForgetfulDisk(action: () => Promise<unknown>, keeps = true): Promise<number> {
  const handle = await open('/')
  const methods = Object.getPrototypeOf(handle) as Pick<FileHandle, 'sync' | 'stat' | 'utimes' | 'writeFile'>
  await handle.close()
  const { sync, writeFile } = methods
  /** Files whose bytes are all on the disk. */
  const synced = new Set<string>()
  const nameOf = async (file: FileHandle): Promise<string> => {
    const { dev, ino, birthtimeMs } = await file.stat()
    return `${dev} ${ino} ${birthtimeMs}`
  }
  let lost = 0
  methods.writeFile = async function (this: FileHandle, ...args) {
    synced.delete(await nameOf(this))
    return writeFile.apply(this, args)
  }
  methods.sync = async function (this: FileHandle) {
    await sync.call(this)
    const name = await nameOf(this)
    if (keeps && synced.has(name)) return
    synced.add(name)
    if (!(await this.stat()).isFile()) return
    lost++
    await this.utimes(DATED, DATED)
  }
  try {
    await action()
  } finally {
    methods.sync = sync
    methods.writeFile = writeFile
  }
  return lost
}
