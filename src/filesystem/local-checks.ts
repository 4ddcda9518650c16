// Checks of a file system by one process. Each works in an empty folder of its own, and says what it found that should
// not be: nothing when all is well. A call that fails is such a find, too.

import { join } from 'node:path'
import { errno, quote } from '../errors.js'
import type { Calls } from './calls.js'
import { isPassing, type Check, type Checks } from './run-check.js'

/** The code of the error with which a call ended, or what it gave. */
const outcomeOf = <T>(call: Promise<T>): Promise<{ code: string } | { value: T }> =>
  call.then(
    (value) => ({ value }),
    (error: unknown) => ({ code: errno(error) ?? String(error) }),
  )

async function codeOf(call: Promise<unknown>): Promise<string> {
  const outcome = await outcomeOf(call)
  return 'code' in outcome ? outcome.code : 'no error'
}

/** A whole second, as a time of publication is; odd, since some file systems count in steps of two. */
const SECOND_MS = 1_600_000_001_000
/** What a file system can tell that counts in 100 ns, as some do. */
const PART_MS = 1_600_000_001_250

async function link(calls: Calls, at: (name: string) => string): Promise<string | undefined> {
  await calls.writeText(at('one'), 'one', 'wx')
  await calls.writeText(at('two'), 'two', 'wx')
  await calls.link(at('one'), at('name'))
  const second = await codeOf(calls.link(at('two'), at('name')))
  if (second !== 'EEXIST') return `link(2) to a name that is taken: ${second} in the place of EEXIST`
  if ((await calls.readText(at('name'))) !== 'one') return 'a link that was refused replaced the file'
  const { links } = await calls.status(at('name'))
  if (links !== 2) return `a file with two names says that it has ${links}`
  await calls.unlink(at('one'))
  const left = (await calls.status(at('name'))).links
  return left === 1 ? undefined : `a file with one name says that it has ${left}`
}

async function exclusive(calls: Calls, at: (name: string) => string): Promise<string | undefined> {
  await calls.writeText(at('name'), 'one', 'wx')
  const second = await codeOf(calls.writeText(at('name'), 'two', 'wx'))
  if (second !== 'EEXIST') return `O_EXCL with a name that is taken: ${second} in the place of EEXIST`
  return (await calls.readText(at('name'))) === 'one' ? undefined : 'a refused open emptied the file'
}

async function rename(calls: Calls, at: (name: string) => string): Promise<string | undefined> {
  await calls.writeText(at('list'), 'old', 'wx')
  await calls.writeText(at('new'), 'new and longer', 'wx')
  await calls.rename(at('new'), at('list'))
  const text = await calls.readText(at('list'))
  if (text !== 'new and longer') return `a file that was replaced by rename(2) has ${quote(text)}`
  return (await codeOf(calls.status(at('new')))) === 'ENOENT' ? undefined : 'the old name is still there'
}

async function renameFolder(calls: Calls, at: (name: string) => string): Promise<string | undefined> {
  await calls.makeFolder(at('folder'))
  await calls.writeText(join(at('folder'), 'file'), 'x', 'wx')
  await calls.rename(at('folder'), at('moved'))
  const text = await calls.readText(join(at('moved'), 'file'))
  if (text !== 'x') return `a file in a renamed folder has ${quote(text)}`
  return (await codeOf(calls.status(at('folder')))) === 'ENOENT' ? undefined : 'the old name is still there'
}

async function sync(calls: Calls, at: (name: string) => string): Promise<string | undefined> {
  await calls.writeText(at('file'), 'x', 'wx')
  await calls.writeText(at('file'), 'y', 'a')
  await calls.syncFolder(at('.'))
  const text = await calls.readText(at('file'))
  return text === 'xy' ? undefined : `a file that was added to has ${quote(text)}`
}

async function times(calls: Calls, at: (name: string) => string): Promise<string | undefined> {
  await calls.stage(at('staged'), 'x', SECOND_MS)
  await calls.link(at('staged'), at('zip'))
  await calls.unlink(at('staged'))
  await calls.syncFolder(at('.'))
  return await otherTime(calls, at('zip'), SECOND_MS)
}

async function partsOfSecond(calls: Calls, at: (name: string) => string): Promise<string | undefined> {
  await calls.stage(at('file'), 'x', PART_MS)
  return await otherTime(calls, at('file'), PART_MS)
}

async function otherTime(calls: Calls, path: string, ms: number): Promise<string | undefined> {
  const { mtimeMs } = await calls.status(path)
  return Math.abs(mtimeMs - ms) < 0.01 ? undefined : `the time ${ms / 1000} s was kept as ${mtimeMs / 1000} s`
}

async function openFiles(calls: Calls, at: (name: string) => string): Promise<string | undefined> {
  for (const name of ['replaced', 'deleted']) await calls.writeText(at(name), name, 'wx')
  await calls.writeText(at('new'), 'other', 'wx')
  const [replaced, deleted] = [await calls.open(at('replaced')), await calls.open(at('deleted'))]
  try {
    await calls.rename(at('new'), at('replaced'))
    await calls.unlink(at('deleted'))
    for (const [name, file] of Object.entries({ replaced, deleted })) {
      const read = await outcomeOf(file.text())
      const text = 'code' in read ? read.code : read.value
      if (text !== name) return `an open file that was ${name} reads as ${quote(text)}`
    }
    return undefined
  } finally {
    await replaced.close()
    await deleted.close()
  }
}

async function removedFiles(calls: Calls, at: (name: string) => string): Promise<string | undefined> {
  await calls.makeFolder(at('folder'))
  await calls.writeText(join(at('folder'), 'file'), 'x', 'wx')
  const file = await calls.open(join(at('folder'), 'file'))
  try {
    await calls.unlink(join(at('folder'), 'file'))
    const [left] = await calls.names(at('folder'))
    if (left !== undefined) return `a file that was removed while it was read is there as ${quote(left)}`
    await calls.removeFolder(at('folder'))
    return undefined
  } finally {
    await file.close()
  }
}

async function locks(calls: Calls, at: (name: string) => string): Promise<string | undefined> {
  await calls.writeText(at('lock'), '', 'wx')
  const first = await calls.lock(at('lock'))
  try {
    if (first.outcome === 'no flock') return undefined // the program is missing, which the start says
    if (first.outcome !== 'locked') return 'a file that nobody has locked cannot be locked'
    const second = await calls.lock(at('lock'))
    second.release()
    return second.outcome === 'held' ? undefined : 'a file that is locked can be locked again'
  } finally {
    first.release()
  }
}

async function symlinks(calls: Calls, at: (name: string) => string): Promise<string | undefined> {
  for (const name of ['a', 'b']) {
    await calls.makeFolder(at(name))
    await calls.writeText(join(at(name), 'file'), name, 'wx')
  }
  await calls.symlink('a', at('link'))
  await calls.symlink('b', at('new'))
  const through = (): Promise<string> => calls.readText(join(at('link'), 'file'))
  if ((await through()) !== 'a') return 'a symbolic link leads elsewhere'
  await calls.rename(at('new'), at('link'))
  if ((await through()) !== 'b') return 'a symbolic link that was replaced leads to the old place'
  await calls.unlink(at('link'))
  const after = await codeOf(through())
  return after === 'ENOENT' ? undefined : `a symbolic link that was removed: ${after} in the place of ENOENT`
}

/** That each name is a file of its own, and is listed as it was given. */
const keepsNames =
  (names: readonly string[]): Check =>
  async (calls, at) => {
    for (const name of names) {
      try {
        await calls.writeText(at(name), name, 'wx')
      } catch (error) {
        const code = errno(error)
        if (code === undefined || isPassing(code)) throw error
        return `a file called ${quote(name)}: ${code}`
      }
    }
    const listed = new Set(await calls.names(at('.')))
    const lost = names.find((name) => !listed.has(name))
    if (lost !== undefined) return `a file called ${quote(lost)} is listed under another name`
    for (const name of names)
      if ((await calls.readText(at(name))) !== name)
        return `the file ${quote(name)} has the content of another`
    return undefined
  }

/** What versions and files may have in their names. */
const ODD_NAMES = [
  '!azure',
  '@v',
  'v1.0.0+incompatible',
  'a b',
  'a.',
  'a:b',
  'a\\b',
  '"a"',
  '*?<|>',
  '%2F',
  'CON',
  '日本語',
  '\u{1f4e6}',
  'caf\u00e9',
  'u\u0308ber',
]

async function modes(calls: Calls, at: (name: string) => string): Promise<string | undefined> {
  await calls.writeText(at('file'), 'x', 'wx')
  await calls.makeFolder(at('folder'))
  for (const [name, mode] of [
    ['file', 0o600],
    ['file', 0o644],
    ['folder', 0o750],
    ['folder', 0o700],
  ] as const) {
    await calls.chmod(at(name), mode)
    const kept = (await calls.status(at(name))).mode
    if (kept !== mode) return `the mode ${mode.toString(8)} was kept as ${kept.toString(8)}`
  }
  return undefined
}

async function space(calls: Calls, at: (name: string) => string): Promise<string | undefined> {
  const { size, free } = await calls.space(at('.'))
  return size > 0 && free >= 0 ? undefined : 'it does not tell how much room there is'
}

async function sockets(calls: Calls, at: (name: string) => string): Promise<string | undefined> {
  const code = await codeOf(calls.socket(at('s')))
  return code === 'no error' ? undefined : `a socket cannot be made: ${code}`
}

/** Those that may go well by chance: a probe makes them often. */
export const REPEATED: Checks = {
  link,
  exclusive,
  rename,
  'rename of folders': renameFolder,
  sync,
  times,
  'open files': openFiles,
  locks,
}

/** Those whose outcome is always the same. */
export const FIXED: Checks = {
  'parts of a second': partsOfSecond,
  'removed files': removedFiles,
  symlinks,
  'capital letters': keepsNames(['tool', 'Tool', 'TOOL']),
  names: keepsNames(ODD_NAMES),
  'long names': keepsNames(['n'.repeat(255), `${'é'.repeat(127)}n`]),
  modes,
  space,
  sockets,
}
