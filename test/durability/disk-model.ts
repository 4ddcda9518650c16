// What a disk may hold after a power cut, by POSIX: built from the recorded file calls of a process.
//
// A file's bytes, times and mode are on the disk once the file is synced. A change of names is on the disk once one of
// the folders that it touches is synced. Everything else may be on the disk or not, each change independently; bytes
// that are not synced may be torn. Real file systems keep more order than that.

import {
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { basename, dirname, join } from 'node:path'

type Content = { bytes: Buffer; mtime: number }
/**
 * `isWrittenInto`: at places of it, so that a block that did not come to the disk is zeros. `isOnWay`: bytes were written
 * since the last sync.
 */
type File = {
  kind: 'file'
  now: Content
  safe: Content | undefined
  isWrittenInto?: true
  isOnWay?: boolean
}
/** A symbolic link. */
type Link = { kind: 'link'; text: string }
type Folder = { kind: 'folder'; names: Map<string, Entry> }
type Entry = File | Folder | Link
/** A change of names: all of it is on the disk, or nothing is. */
type Change = { steps: { folder: Folder; name: string; to: Entry | undefined }[]; safe: boolean }

/** Leaves out what a sync does, for what it was asked of: what the tests must notice. */
export type Mutant = (what: 'file' | 'folder', path: string) => boolean

/** How much of what was not synced is on the disk. */
export type Luck = 'nothing' | 'everything' | 'the earlier part' | 'some'

const newFile = (): File => ({ kind: 'file', now: { bytes: Buffer.alloc(0), mtime: 1 }, safe: undefined })

/** The folder as it is, all of it on the disk. */
function snapshot(path: string, seen = new Map<number, File>()): Folder {
  const names = new Map<string, Entry>()
  for (const name of readdirSync(path)) {
    const at = join(path, name)
    const status = lstatSync(at)
    if (status.isDirectory()) names.set(name, snapshot(at, seen))
    else if (status.isSymbolicLink()) names.set(name, { kind: 'link', text: readlinkSync(at) })
    else if (status.isFile()) {
      const content = { bytes: readFileSync(at), mtime: status.mtimeMs / 1000 }
      const file = seen.get(status.ino) ?? { kind: 'file' as const, now: content, safe: content }
      seen.set(status.ino, file)
      names.set(name, file)
    }
  }
  return { kind: 'folder', names }
}

export type FileCall = { name: string; strings: Buffer[]; fd: number; result: number; text: string }

// openat(AT_FDCWD, "\x2f\x64", O_WRONLY|O_CREAT) = 19, as strace -xx writes it
export function parseCalls(log: string): FileCall[] {
  const calls: FileCall[] = []
  for (const text of log.split('\n')) {
    const [, name, args, result] = /^(\w+)\((.*)\) += (-?\d+)/.exec(text) ?? []
    if (name === undefined || args === undefined) continue
    const strings = [...args.matchAll(/"((?:\\x[0-9a-f]{2})*)"/g)].map(([, hex = '']) =>
      Buffer.from(hex.replaceAll('\\x', ''), 'hex'),
    )
    calls.push({ name, strings, fd: Number.parseInt(args, 10), result: Number(result), text: args })
  }
  return calls
}

/** The time of bytes that a forgetful disk has dated. */
const DATED = 2

/**
 * A disk that was like the folder `data` and then saw `calls`. One that `forgets` dates bytes when they come, at a sync:
 * a time that was set since they were written is lost.
 */
export function openDisk(data: string, mutant: Mutant = () => false, forgets = false) {
  const now = snapshot(data)
  const before = namesIn(now) // on the disk, whatever happens
  const changes: Change[] = []
  const open = new Map<number, { what: Entry; path: string }>()

  const find = (path: string): Entry | undefined => {
    let at: Entry | undefined = now
    for (const name of path.slice(data.length + 1).split('/')) {
      if (path === data) break
      at = at?.kind === 'folder' ? at.names.get(name) : undefined
    }
    return at
  }
  const folderOf = (path: string): Folder => {
    const folder = find(dirname(path))
    if (folder?.kind !== 'folder') throw new Error(`${path} is in no folder`)
    return folder
  }
  function change(...steps: [path: string, to: Entry | undefined][]): void {
    const made = steps.map(([path, to]) => ({ folder: folderOf(path), name: basename(path), to }))
    for (const { folder, name, to } of made) {
      if (to) folder.names.set(name, to)
      else folder.names.delete(name)
    }
    changes.push({ steps: made, safe: false })
  }

  function sync({ what, path }: { what: Entry; path: string }): void {
    if (what.kind === 'link' || mutant(what.kind, path)) return
    if (what.kind === 'file') {
      if (forgets && what.isOnWay) what.now = { ...what.now, mtime: DATED }
      what.isOnWay = false
      what.safe = what.now
    } else for (const made of changes) made.safe ||= made.steps.some(({ folder }) => folder === what)
  }

  /** Takes in one call. Returns `false` for one that has nothing to do with it. */
  function see({ name, strings, fd, result, text }: FileCall): boolean {
    const [path = '', to = ''] = strings.map(String)
    if (name === 'symlink' && result === 0 && to.startsWith(data)) {
      change([to, { kind: 'link', text: path }])
      return true
    }
    const isPath = strings.length > 0 && name !== 'write' && name !== 'pwrite64'
    if (result < 0 || (isPath && !path.startsWith(data))) return false
    switch (name) {
      case 'openat': {
        const found = find(path)
        const what = found ?? newFile()
        open.set(result, { what, path })
        if (!found) change([path, what])
        return true
      }
      case 'write': {
        const file = open.get(fd)?.what
        if (file?.kind !== 'file') return false
        file.now = { ...file.now, bytes: Buffer.concat([file.now.bytes, ...strings]) }
        file.isOnWay = true
        return true
      }
      case 'pwrite64': {
        const file = open.get(fd)?.what
        if (file?.kind !== 'file') return false
        const at = Number(/, (\d+)$/.exec(text)?.[1])
        const written = Buffer.concat(strings)
        const { bytes } = file.now
        const parts = [bytes.subarray(0, at), Buffer.alloc(Math.max(0, at - bytes.length)), written]
        file.now = { ...file.now, bytes: Buffer.concat([...parts, bytes.subarray(at + written.length)]) }
        file.isWrittenInto = true
        file.isOnWay = true
        return true
      }
      case 'ftruncate': {
        const file = open.get(fd)?.what
        if (file?.kind !== 'file') return false
        file.now = { ...file.now, bytes: file.now.bytes.subarray(0, Number(/, (\d+)$/.exec(text)?.[1])) }
        return true
      }
      case 'utimensat': {
        const file = open.get(fd)?.what
        const mtime = Number([...text.matchAll(/tv_sec=(\d+)/g)][1]?.[1])
        if (file?.kind === 'file') file.now = { ...file.now, mtime }
        return true
      }
      case 'fsync':
      case 'fdatasync': {
        const synced = open.get(fd)
        if (synced) sync(synced)
        return true
      }
      case 'close':
        return open.delete(fd)
      case 'mkdir':
        change([path, { kind: 'folder', names: new Map() }])
        return true
      case 'link':
        change([to, find(path)])
        return true
      case 'rename':
        change([path, undefined], [to, find(path)])
        return true
      case 'unlink':
      case 'rmdir':
        change([path, undefined])
        return true
      default:
        return false
    }
  }

  /** The bytes that a reader finds at a path; `undefined` when there is no such file. */
  function read(path: string): Buffer | undefined {
    const file = find(path)
    return file?.kind === 'file' ? file.now.bytes : undefined
  }

  /** Makes `folder` what the disk would hold if the power went now. `random` gives numbers from 0 to 1. */
  function crash(folder: string, luck: Luck, random: () => number): void {
    const part = Math.floor(random() * (changes.length + 1))
    const stays = (index: number): boolean =>
      luck === 'everything' ||
      (luck === 'the earlier part' && index < part) ||
      (luck === 'some' && random() < 0.5)
    const disk = new Map<Folder, Map<string, Entry>>()
    const namesOf = (at: Folder): Map<string, Entry> => {
      const names = disk.get(at) ?? new Map(before.get(at))
      disk.set(at, names)
      return names
    }
    changes.forEach(({ steps, safe: isSafe }, index) => {
      if (!isSafe && !stays(index)) return
      for (const { folder: at, name, to } of steps) {
        if (to) namesOf(at).set(name, to)
        else namesOf(at).delete(name)
      }
    })
    const written = new Map<File, string>()
    const write = (at: Folder, path: string): void => {
      mkdirSync(path, { recursive: true })
      for (const [name, what] of namesOf(at)) {
        const to = join(path, name)
        if (what.kind === 'folder') write(what, to)
        else if (what.kind === 'link') symlinkSync(what.text, to)
        else {
          const same = written.get(what)
          if (same !== undefined) linkSync(same, to)
          else {
            const { bytes, mtime } = contentOf(what, luck, random)
            writeFileSync(to, bytes)
            utimesSync(to, mtime, mtime)
            written.set(what, to)
          }
        }
      }
    }
    write(now, folder)
  }

  return { see, read, crash }
}

function namesIn(folder: Folder, names = new Map<Folder, Map<string, Entry>>()) {
  names.set(folder, new Map(folder.names))
  for (const below of folder.names.values()) if (below.kind === 'folder') namesIn(below, names)
  return names
}

function contentOf({ now, safe, isWrittenInto }: File, luck: Luck, random: () => number): Content {
  if (now === safe) return now
  if (luck === 'everything') return now
  const choices: Content[] = [safe ?? { bytes: Buffer.alloc(0), mtime: 1 }]
  if (luck !== 'nothing') {
    choices.push(now)
    const half = Math.floor(now.bytes.length / 2)
    const torn = Buffer.concat([now.bytes.subarray(0, half), Buffer.alloc(now.bytes.length - half)])
    if (!safe) choices.push({ ...now, bytes: torn }, { ...now, bytes: now.bytes.subarray(0, half) })
    else if (now.bytes.length > safe.bytes.length) {
      const added = Math.floor((now.bytes.length - safe.bytes.length) / 2) // bytes are only ever added to a safe file
      const some = now.bytes.subarray(0, safe.bytes.length + added)
      choices.push({ ...now, bytes: some })
      const zeros = Buffer.alloc(now.bytes.length - some.length)
      if (isWrittenInto) choices.push({ ...now, bytes: Buffer.concat([some, zeros]) })
    }
  }
  return choices[Math.floor(random() * choices.length)] ?? now
}
