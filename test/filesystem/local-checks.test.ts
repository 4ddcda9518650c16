// Each check is given a file system with one defect, and must see it; a file system that is well passes all of them.

import { mkdirSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import t from 'tap'
import { systemCalls, type Calls } from '../../src/filesystem/calls.js'
import { FIXED, REPEATED } from '../../src/filesystem/local-checks.js'
import type { LocalNeed } from '../../src/filesystem/needs.js'
import { CannotProbe, checksOf, runCheck } from '../../src/filesystem/run-check.js'
import { needs } from '../support/programs.js'
import { memoryFolder } from '../support/temp-folder.js'

const failsWith = (code: string, syscall: string) => (): Promise<never> =>
  Promise.reject(Object.assign(new Error(code), { code, syscall }))

/** Makes all checks with these calls: what they found, by need. */
async function found(defect: Partial<Calls> = {}, withLocks = true): Promise<Record<string, string>> {
  const folder = memoryFolder()
  const finds: Record<string, string> = {}
  for (const [need, check] of checksOf({ ...REPEATED, ...FIXED })) {
    if (need === 'locks' && !withLocks) continue // it starts programs
    const find = await runCheck({ ...systemCalls, ...defect }, check, join(folder, need))
    if (find !== undefined) finds[need] = find
  }
  return finds
}

const unlessTaken = async (make: () => Promise<void>): Promise<void> => {
  await make().catch(() => {})
}

type Defect = [what: string, needs: LocalNeed[], defect: Partial<Calls>, says: RegExp]

const lower = (path: string): string => path.replace(/\/tool$/i, '/tool')
const composed = (path: string): string => path.normalize('NFC')

const DEFECTS: Defect[] = [
  ['link(2) is missing', ['link', 'times'], { link: failsWith('EPERM', 'link') }, /^link fails: EPERM$/],
  [
    'link(2) says that all is well when the name is taken',
    ['link'],
    { link: (from, to) => unlessTaken(() => systemCalls.link(from, to)) },
    /no error in the place of EEXIST/,
  ],
  [
    'link(2) replaces what has the name, and refuses',
    ['link'],
    {
      async link(from, to) {
        const isTaken = await systemCalls.readText(to).catch(() => '')
        if (isTaken === '') return systemCalls.link(from, to)
        await systemCalls.unlink(to)
        await systemCalls.link(from, to)
        return failsWith('EEXIST', 'link')()
      },
    },
    /a link that was refused replaced the file/,
  ],
  [
    'a link is a copy',
    ['link'],
    {
      async link(from, to) {
        await systemCalls.writeText(to, await systemCalls.readText(from), 'wx')
        const { mtimeMs } = await systemCalls.status(from)
        await systemCalls.unlink(to)
        await systemCalls.stage(to, await systemCalls.readText(from), mtimeMs)
      },
    },
    /a file with two names says that it has 1/,
  ],
  [
    'links are not counted',
    ['link'],
    { status: async (path) => ({ ...(await systemCalls.status(path)), links: 2 }) },
    /a file with one name says that it has 2/,
  ],
  [
    'O_EXCL counts for nothing',
    ['exclusive'],
    { writeText: (path, text, flag) => systemCalls.writeText(path, text, flag === 'wx' ? 'w' : flag) },
    /O_EXCL .* no error/,
  ],
  [
    'rename(2) does nothing',
    ['rename', 'rename of folders', 'symlinks'],
    { rename: () => Promise.resolve() },
    /has "old"|open fails: ENOENT|leads to the old place/,
  ],
  [
    'rename(2) refuses a name that is taken',
    ['rename', 'open files', 'symlinks'],
    {
      rename: async (from, to) =>
        (await systemCalls.status(to).catch(() => undefined))
          ? failsWith('EEXIST', 'rename')()
          : systemCalls.rename(from, to),
    },
    /rename fails: EEXIST/,
  ],
  [
    'folders cannot be renamed',
    ['rename of folders'],
    {
      rename: async (from, to) =>
        (await systemCalls.status(from)).isFolder && basename(from) === 'folder'
          ? failsWith('EXDEV', 'rename')()
          : systemCalls.rename(from, to),
    },
    /rename fails: EXDEV/,
  ],
  [
    'folders cannot be synced',
    ['sync', 'times'],
    { syncFolder: failsWith('EINVAL', 'fsync') },
    /fsync fails: EINVAL/,
  ],
  [
    'what is added to a file is lost',
    ['sync'],
    {
      writeText: (path, text, flag) =>
        flag === 'a' ? Promise.resolve() : systemCalls.writeText(path, text, flag),
    },
    /has "x"/,
  ],
  [
    'the time is that of the writing',
    ['times', 'parts of a second'],
    { stage: (path, text) => systemCalls.writeText(path, text, 'wx') },
    /the time 16\d+(?:\.25)? s was kept as \d/,
  ],
  [
    'times are even seconds',
    ['times', 'parts of a second'],
    { stage: (path, text, ms) => systemCalls.stage(path, text, Math.floor(ms / 2000) * 2000) },
    /was kept as 1600000000 s/,
  ],
  [
    'times are whole seconds',
    ['parts of a second'],
    { stage: (path, text, ms) => systemCalls.stage(path, text, Math.floor(ms / 1000) * 1000) },
    /the time 1600000001\.25 s was kept as 1600000001 s/,
  ],
  [
    'an open file goes with its name',
    ['open files'],
    {
      open: async (path) => ({ text: () => systemCalls.readText(path), close: () => Promise.resolve() }),
    },
    /an open file that was replaced reads as "other"/,
  ],
  [
    'an open file cannot be read when it is deleted',
    ['open files'],
    {
      async open(path) {
        const file = await systemCalls.open(path)
        return {
          ...file,
          text: () => systemCalls.status(path).then(() => file.text(), failsWith('ESTALE', 'read')),
        }
      },
    },
    /an open file that was deleted reads as "ESTALE"/,
  ],
  [
    'a removed file gets another name while it is open',
    ['removed files'],
    {
      unlink: async (path) =>
        path.includes('removed files')
          ? systemCalls.rename(path, join(dirname(path), '.nfs0001'))
          : systemCalls.unlink(path),
    },
    /is there as "\.nfs0001"/,
  ],
  [
    'locks are given to everybody',
    ['locks'],
    { lock: () => Promise.resolve({ outcome: 'locked', release: () => {} }) },
    /can be locked again/,
  ],
  [
    'locks are given to nobody',
    ['locks'],
    { lock: () => Promise.resolve({ outcome: 'held', release: () => {} }) },
    /cannot be locked/,
  ],
  [
    'there are no symbolic links',
    ['symlinks'],
    { symlink: failsWith('EPERM', 'symlink') },
    /symlink fails: EPERM/,
  ],
  [
    'capital letters are small ones',
    ['capital letters'],
    { writeText: (path, text, flag) => systemCalls.writeText(lower(path), text, flag) },
    /"Tool": EEXIST/,
  ],
  [
    'capital letters are made small when a folder is listed',
    ['capital letters'],
    {
      names: async (folder) => [
        ...new Set((await systemCalls.names(folder)).map((name) => (/^tool$/i.test(name) ? 'tool' : name))),
      ],
    },
    /"Tool" is listed under another name/,
  ],
  [
    'Unicode is normalized',
    ['names'],
    { writeText: (path, text, flag) => systemCalls.writeText(composed(path), text, flag) },
    /a file called ".+ber" is listed under another name/,
  ],
  [
    'a dot at the end is lost',
    ['names'],
    { names: async (folder) => (await systemCalls.names(folder)).map((name) => name.replace(/\.$/, '')) },
    /a file called "a\." is listed under another name/,
  ],
  [
    'names have 143 bytes at most',
    ['long names'],
    {
      writeText: (path, text, flag) =>
        Buffer.byteLength(basename(path)) > 143
          ? failsWith('ENAMETOOLONG', 'open')()
          : systemCalls.writeText(path, text, flag),
    },
    /ENAMETOOLONG/,
  ],
  ['modes are not kept', ['modes'], { chmod: () => Promise.resolve() }, /the mode \d+ was kept as \d+/],
  [
    'it does not tell its room',
    ['space'],
    { space: () => Promise.resolve({ size: 0, free: 0 }) },
    /how much room/,
  ],
  [
    'sockets cannot be made',
    ['sockets'],
    { socket: failsWith('EPERM', 'listen') },
    /a socket cannot be made: EPERM/,
  ],
]

t.test('a file system that is well', needs('flock'), async (t) => {
  t.same(await found(), {})
})

t.test('file systems with a defect', needs('flock'), async (t) => {
  const seen = new Set<LocalNeed>()
  for (const [what, unmet, defect, says] of DEFECTS)
    await t.test(what, async (t) => {
      const finds = await found(defect, unmet.includes('locks'))
      t.same(Object.keys(finds).sort(), [...unmet].sort())
      for (const need of unmet) t.match(finds[need], says, need)
      unmet.forEach((need) => seen.add(need))
    })
  for (const [need] of checksOf({ ...REPEATED, ...FIXED })) t.ok(seen.has(need), `${need} was seen to fail`)
})

t.test('what says nothing of the file system is no find', async (t) => {
  for (const code of ['ENOSPC', 'EIO', 'EMFILE', 'EROFS', 'EDQUOT']) {
    const error: unknown = await found({ writeText: failsWith(code, 'open') }).catch(
      (thrown: unknown) => thrown,
    )
    t.ok(error instanceof CannotProbe, code)
    t.match(error, { message: `it cannot be probed now: ${code}` })
  }
  await t.rejects(found({ writeText: () => Promise.reject(new TypeError('x')) }), TypeError)
})

t.test('each check works in a folder of its own', async (t) => {
  const folder = memoryFolder()
  mkdirSync(join(folder, 'rename'))
  const [rename] = checksOf({ ...REPEATED }).filter(([need]) => need === 'rename')
  if (rename) t.match(await runCheck(systemCalls, rename[1], join(folder, 'rename')), /mkdir fails: EEXIST/)
})
