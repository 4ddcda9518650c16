// What a probe asks of a file system. The checks know no other calls, so a test can give them a file system with one
// defect.

import * as fs from 'node:fs/promises'
import { closeSync, openSync } from 'node:fs'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { relative } from 'node:path'
import { flock, type FlockOutcome } from '../store/flock.js'

/** `mtimeMs` in ms since the epoch. */
type Status = { size: number; mtimeMs: number; mode: number; links: number; isFolder: boolean }

/** A lock that is held until it is released. */
export type HeldLock = { outcome: FlockOutcome; release: () => void }

/** Paths are absolute. Each call rejects with the error of the system. */
export type Calls = {
  readText: (path: string) => Promise<string>
  /** Writes and syncs. `wx`: the name must be free; `w`: another content; `a`: more; `r+`: over what is there. */
  writeText: (path: string, text: string, flag: 'wx' | 'w' | 'a' | 'r+') => Promise<void>
  /** Makes a new file with a time, as the service makes one: writes it, gives it its time (ms), syncs it. */
  stage: (path: string, text: string, mtimeMs: number) => Promise<void>
  /** Opens a file; `text` reads it, whatever became of its name. */
  open: (path: string) => Promise<{ text: () => Promise<string>; close: () => Promise<void> }>
  syncFolder: (path: string) => Promise<void>
  status: (path: string) => Promise<Status>
  names: (folder: string) => Promise<string[]>
  makeFolder: (path: string, mode?: number) => Promise<void>
  removeFolder: (path: string) => Promise<void>
  link: (from: string, to: string) => Promise<void>
  rename: (from: string, to: string) => Promise<void>
  symlink: (text: string, path: string) => Promise<void>
  unlink: (path: string) => Promise<void>
  chmod: (path: string, mode: number) => Promise<void>
  /** Bytes that there are and that are free. */
  space: (path: string) => Promise<{ size: number; free: number }>
  /** Tries to lock an existing file by flock(2). */
  lock: (path: string) => Promise<HeldLock>
  /** Makes a socket and removes it. */
  socket: (path: string) => Promise<void>
}

/** The calls of the system. */
export const systemCalls: Calls = {
  readText: (path) => fs.readFile(path, 'utf8'),

  async writeText(path, text, flag) {
    const handle = await fs.open(path, flag, 0o600)
    try {
      await handle.writeFile(text)
      await handle.sync()
    } finally {
      await handle.close()
    }
  },

  async stage(path, text, mtimeMs) {
    const handle = await fs.open(path, 'wx', 0o600)
    try {
      await handle.writeFile(text)
      await handle.utimes(mtimeMs / 1000, mtimeMs / 1000)
      await handle.sync()
    } finally {
      await handle.close()
    }
  },

  async open(path) {
    const handle = await fs.open(path)
    return {
      async text() {
        const buffer = Buffer.alloc(4096)
        const { bytesRead } = await handle.read(buffer, 0, buffer.length, 0)
        return buffer.toString('utf8', 0, bytesRead)
      },
      close: () => handle.close(),
    }
  },

  async syncFolder(path) {
    const handle = await fs.open(path)
    try {
      await handle.sync()
    } finally {
      await handle.close()
    }
  },

  async status(path) {
    const status = await fs.stat(path)
    const { size, mtimeMs, mode, nlink: links } = status
    return { size, mtimeMs, mode: mode & 0o777, links, isFolder: status.isDirectory() }
  },

  names: (folder) => fs.readdir(folder),
  makeFolder: (path, mode = 0o700) => fs.mkdir(path, mode),
  removeFolder: (path) => fs.rmdir(path),
  link: fs.link,
  rename: fs.rename,
  symlink: (text, path) => fs.symlink(text, path),
  unlink: fs.unlink,
  chmod: fs.chmod,

  async space(path) {
    const { blocks, bavail, bsize } = await fs.statfs(path)
    return { size: blocks * bsize, free: bavail * bsize }
  },

  async lock(path) {
    // a plain number: garbage collection would close a FileHandle, and the lock would be lost
    const fd = openSync(path, 'r+')
    const release = (): void => closeSync(fd)
    try {
      return { outcome: await flock(fd, 'try'), release }
    } catch (error) {
      release()
      throw error
    }
  },

  async socket(path) {
    const server = createServer()
    // a socket's path has at most 107 bytes
    const short = relative(process.cwd(), path)
    server.listen(short.length < path.length ? short : path)
    try {
      await once(server, 'listening')
    } finally {
      await new Promise((resolve) => server.close(resolve))
    }
  },
}
