// What changes while a backup is made, each at its worst moment.

import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import t, { type Test } from 'tap'
import { firstRun } from '../../src/access/first-run.js'
import { holdingAccessLock } from '../../src/access/lock.js'
import { addOwner, setOwner } from '../../src/access/owners.js'
import { Backup, SourceGone, type BackupOutcome, type BackupSource } from '../../src/backup/backup.js'
import { Destination } from '../../src/backup/destination.js'
import { restoreTo } from '../../src/backup/restore.js'
import { readConfig } from '../../src/config.js'
import { goneFile, sumFile } from '../../src/layout.js'
import { removeOwner } from '../../src/packages/owner-removal.js'
import { ownerKey } from '../../src/packages/watch.js'
import { Store } from '../../src/store/store.js'
import { settledViolations } from '../support/invariants.js'
import { openParts } from '../support/parts.js'
import { needs } from '../support/programs.js'
import { memoryFolder } from '../support/temp-folder.js'

type Opened = Awaited<ReturnType<typeof openParts>>
type Moments = {
  /** Called after each file that is copied. What it begins goes on beside the copying. */
  file?: (path: string) => void
  /** Before the first answer to what has changed. */
  ended?: () => Promise<unknown>
  /** In the hold of a package. */
  held?: (key: string) => Promise<unknown>
  /** Before accounts and owners are copied. */
  access?: () => Promise<unknown>
}

const NEVER = new AbortController().signal
const MODULE = 'tree/api/packages/admin/go/example.com/m/@v'
const TOOL = 'tree/api/packages/admin/generic/tool'

/** A data folder with a module and files, and an empty folder of backups. */
async function published(): Promise<{ data: string; parts: Opened; to: string }> {
  const folder = memoryFolder()
  const data = join(folder, 'data')
  await firstRun(readConfig({ PLINTH_DATA: data, PLINTH_ADMIN_TOKEN: 'x'.repeat(20) }))
  const parts = await openParts(data)
  t.teardown(() => parts.ownerViews.stop())
  for (const version of ['v1.0.0', 'v1.1.0']) await parts.publishModule('example.com/m', version)
  for (const version of ['1.0', '2.0']) await parts.publishFile(version, 'x', `bytes of ${version}`)
  return { data, parts, to: join(folder, 'backup') }
}

/** The service of these parts, with moments at which something happens. */
function sourceOf({ journal, store }: Opened, { ended, held, access }: Moments): BackupSource {
  const { id } = journal.watch()
  const since = (count: number) => journal.watchOf(id)?.since(count) ?? { keys: [], count: 0 }
  return {
    isStill: false,
    touched: async (count) => {
      if (count === 0) await ended?.()
      return since(count)
    },
    hold: async (key, action) => {
      const { count } = since(Infinity)
      await journal.hold(key, action)
      await held?.(key)
      return !since(count).keys.includes(key)
    },
    holdAccess: async (action) => {
      await access?.()
      await holdingAccessLock(store, action)
    },
  }
}

const STILL: BackupSource = {
  isStill: true,
  touched: async () => ({ keys: [], count: 0 }),
  hold: async (_key, action) => action([]).then(() => true),
  holdAccess: (action) => action(),
}

type Made = BackupOutcome & { path: string; removed: string[] }

async function make(
  { data, to }: { data: string; to: string },
  open: (use: (source: BackupSource) => Promise<void>) => Promise<void>,
  { keep = 100, check = true, signal = NEVER, file = (_path: string): void => {} } = {},
): Promise<Made> {
  const destination = await Destination.open(to, data)
  try {
    const { begunMs, ...outcome } = await Backup.make(
      readConfig({ PLINTH_DATA: data }),
      destination,
      open as Parameters<typeof Backup.make>[2],
      { check, signal, onFile: file },
    )
    const name = await destination.finish(begunMs)
    return { ...outcome, path: join(to, name), removed: await destination.prune(keep, name) }
  } finally {
    destination.close()
  }
}

/** Restores the backup, lets it recover, and says what is wrong with it. */
async function restored(path: string): Promise<{ data: string; problems: string[] }> {
  const data = join(memoryFolder(), 'restored')
  await restoreTo(data, path, { signal: NEVER, onFile: () => {} })
  const parts = await openParts(data)
  await parts.recover()
  await parts.ownerViews.settle()
  parts.ownerViews.stop()
  return { data, problems: await settledViolations(data) }
}

const listIn = (data: string): string[] =>
  readFileSync(join(data, MODULE, 'list'), 'utf8')
    .trim()
    .split('\n')

type Meddling = {
  what: string
  /** Comes before the backup. */
  before?: (parts: Opened) => Promise<unknown>
  /** Gets the parts, and gives the moments. */
  moments: (parts: Opened) => Moments
  /** Looks at what was restored. */
  look: (t: Test, data: string) => void
}

/** Begins `change` after the first file whose path matches, and waits for it when the first look is over. */
function after(pattern: RegExp, change: () => Promise<unknown>): Moments {
  let changed: Promise<unknown> | undefined
  return {
    file: (path) => {
      if (pattern.test(path)) changed ??= change()
    },
    ended: async () => {
      await (changed ??= change())
    },
  }
}

const remove = (parts: Opened, version: string): Promise<void> =>
  parts.modules.remove({ owner: 'admin', module: 'example.com/m', version })

async function removeForGood(parts: Opened, version: string): Promise<void> {
  await setOwner(parts.store, { name: 'admin', immutable: true })
  await remove(parts, version)
}

/** What an immutable owner remembers of v1.1.0. */
const TOMBSTONE = goneFile(`${MODULE}/v1.1.0.zip`)

const table: Meddling[] = [
  {
    what: 'a version is published when its neighbours were copied',
    moments: (parts) => after(/\/list$/, () => parts.publishModule('example.com/m', 'v1.2.0')),
    look: (t, data) => t.same(listIn(data), ['v1.0.0', 'v1.1.0', 'v1.2.0']),
  },
  {
    what: 'a version is deleted when its zip was copied',
    moments: (parts) => after(/v1\.1\.0\.zip$/, () => remove(parts, 'v1.1.0')),
    look: (t, data) => t.same(listIn(data), ['v1.0.0']),
  },
  {
    what: 'all versions are deleted',
    moments: (parts) =>
      after(/v1\.1\.0\.zip$/, async () => {
        await remove(parts, 'v1.1.0')
        await remove(parts, 'v1.0.0')
      }),
    look: (t, data) => t.notOk(existsSync(join(data, MODULE))),
  },
  {
    what: 'a file is deleted and published again with other bytes of the same length',
    moments: (parts) =>
      after(/tool\/1\.0\/x$/, async () => {
        await parts.files.removeFile({ owner: 'admin', name: 'tool', version: '1.0' }, 'x')
        await parts.publishFile('1.0', 'x', 'other of 1.0')
      }),
    look: (t, data) => t.equal(readFileSync(join(data, TOOL, '1.0/x'), 'utf8'), 'other of 1.0'),
  },
  {
    what: 'a new module is published when its place was looked at',
    moments: (parts) => ({ ended: () => parts.publishModule('example.com/new/deep', 'v0.1.0') }),
    look: (t, data) => {
      const file = join(data, 'tree/api/packages/admin/go/example.com/new/deep/@v/v0.1.0.zip')
      t.ok(existsSync(file))
      t.equal(statSync(dirname(dirname(dirname(file)))).mode & 0o777, 0o755, 'nginx may enter its folders')
    },
  },
  {
    what: 'a package changes again and again while it is held',
    moments: (parts) => {
      let changes = 0
      return {
        ended: () => parts.publishFile('3.0', 'x', 'three'),
        held: async () => changes++ < 3 && parts.publishFile(`4.${changes}`, 'x', 'four'),
      }
    },
    look: (t, data) => t.ok(existsSync(join(data, TOOL, '4.3/x'))),
  },
  {
    what: 'an owner is removed with its packages before the accounts are copied',
    moments: (parts) => ({ access: once(() => removeOwner(parts, 'admin', true)) }),
    look: (t, data) => t.notOk(existsSync(join(data, 'tree/api/packages/admin'))),
  },
  {
    what: 'an owner is removed, and another one gets its name',
    moments: (parts) => ({
      access: once(async () => {
        await removeOwner(parts, 'admin', true)
        await addOwner(parts.store, { name: 'admin', public: false })
        await parts.publishFile('9.0', 'x', 'of another')
      }),
    }),
    look: (t, data) => t.notOk(existsSync(join(data, MODULE)), 'it has nothing of the one before'),
  },
  {
    what: 'a version of an immutable owner is deleted when tombstones were copied',
    moments: (parts) => ({ ended: () => removeForGood(parts, 'v1.1.0') }),
    look: (t, data) => {
      t.same(listIn(data), ['v1.0.0'])
      t.ok(existsSync(join(data, TOMBSTONE)), 'nothing else can come back')
    },
  },
  {
    what: 'an immutable owner is removed with what it remembers, and another one gets its name',
    before: (parts) => removeForGood(parts, 'v1.1.0'),
    moments: (parts) => ({
      access: once(async () => {
        await removeOwner(parts, 'admin', true)
        await addOwner(parts.store, { name: 'admin', public: true, immutable: true })
      }),
    }),
    look: (t, data) => t.notOk(existsSync(join(data, TOMBSTONE)), 'it remembers nothing of the one before'),
  },
]

// Its removal takes the tree in one step, when a module's files outside of `@v` were copied and no zip.
table.push({
  what: 'an owner goes by halves of its packages, and comes back without them',
  moments: ({ journal, store }) => {
    let gone = false
    return {
      file: (path) => {
        if (gone || !path.endsWith('example.com/m/@latest')) return
        gone = true
        rmSync(store.at('tree/api/packages/admin'), { recursive: true })
        mkdirSync(store.at('tree/api/packages/admin'))
        journal.touch(ownerKey('admin'))
      },
    }
  },
  look: (t, data) => t.same(readdirSync(join(data, 'tree/api/packages/admin')), []),
})

function once(action: () => Promise<unknown>): () => Promise<unknown> {
  let done: Promise<unknown> | undefined
  return () => (done ??= action())
}

for (const { what, before, moments, look } of table)
  t.test(what, needs('flock'), async (t) => {
    const { data, parts, to } = await published()
    await before?.(parts)
    const { file, ...others } = moments(parts)
    const made = await make({ data, to }, (use) => use(sourceOf(parts, others)), { ...(file && { file }) })
    t.equal(made.damaged.size, 0, JSON.stringify([...made.damaged]))
    const copy = await restored(made.path)
    t.same(copy.problems, [])
    look(t, copy.data)
  })

t.test('the service ends and another one runs: the copying goes on', needs('flock'), async (t) => {
  const { data, parts, to } = await published()
  let opened = 0
  const made = await make({ data, to }, async (use) => {
    const gone = async (): Promise<void> => {
      await parts.publishModule('example.com/m', `v1.5.${opened}`)
      if (++opened < 3) throw new SourceGone('it ended')
    }
    await use(sourceOf(parts, { ended: gone }))
  })
  t.equal(opened, 3)
  const copy = await restored(made.path)
  t.same(copy.problems, [])
  t.same(listIn(copy.data), ['v1.0.0', 'v1.1.0', 'v1.5.0', 'v1.5.1', 'v1.5.2'])
  await t.rejects(
    make({ data, to }, () => Promise.reject(new SourceGone('it ended'))),
    { message: 'it ended' },
    'not for ever',
  )
})

t.test('what is the same is shared with the backup before, and nothing else', needs('flock'), async (t) => {
  const { data, parts, to } = await published()
  const inode = (path: string, name: string): number => statSync(join(path, name)).ino
  await parts.ownerViews.settle()
  const first = await make({ data, to }, (use) => use(STILL))
  t.match(first, { shared: 0, damaged: new Map() })
  await parts.publishModule('example.com/m', 'v1.2.0')
  // The same size and time with other bytes: no look at the outside shows it.
  const mod = join(data, MODULE, 'v1.0.0.mod')
  const { mtime } = statSync(mod)
  writeFileSync(mod, readFileSync(mod, 'utf8').replace('example', 'exbmple'))
  utimesSync(mod, mtime, mtime)
  const second = await make({ data, to }, (use) => use(STILL))
  t.equal(readlinkSync(join(to, 'latest')), second.path.slice(to.length + 1))
  for (const name of [
    `${MODULE}/v1.1.0.zip`,
    `${TOOL}/1.0/x`,
    sumFile(`${TOOL}/1.0/x`),
    'access/accounts/admin.json',
  ])
    t.equal(inode(second.path, name), inode(first.path, name), name)
  for (const name of [`${MODULE}/list`, `${MODULE}/v1.0.0.mod`, 'tree/api/packages/admin/-/index.ndjson'])
    t.not(inode(second.path, name), inode(first.path, name), name)
  for (const name of [`${MODULE}/v1.1.0.zip`, `${TOOL}/1.0/x`, `${MODULE}/list`])
    t.not(inode(second.path, name), inode(data, name), 'nothing is shared with what is served')
  t.equal(
    inode(second.path, `${MODULE}/latest.zip`),
    inode(second.path, `${MODULE}/v1.2.0.zip`),
    'links stay links',
  )
  t.equal(
    statSync(join(second.path, MODULE, 'v1.1.0.zip')).mtimeMs,
    statSync(join(data, MODULE, 'v1.1.0.zip')).mtimeMs,
  )
})

t.test(
  'a file that is not what was uploaded is named, each time, until it is mended',
  needs('flock'),
  async (t) => {
    const { data, to } = await published()
    const path = `${TOOL}/1.0/x`
    const { mtime } = statSync(join(data, path))
    const damage = (text: string): void => {
      writeFileSync(join(data, path), text)
      utimesSync(join(data, path), mtime, mtime)
    }
    damage('Bytes of 1.0')
    for (let count = 0; count < 2; count++) {
      const { damaged } = await make({ data, to }, (use) => use(STILL))
      t.match([...damaged], [[path, /its bytes have changed since the upload/]])
    }
    t.equal(
      (await make({ data, to }, (use) => use(STILL), { check: false })).damaged.size,
      0,
      'unless asked not to',
    )
    damage('bytes of 1.0')
    t.equal((await make({ data, to }, (use) => use(STILL))).damaged.size, 0)
    const root = process.getuid?.() === 0
    chmodSync(join(data, path), 0)
    const { damaged } = await make({ data, to }, (use) => use(STILL))
    t.match([...damaged], root ? [] : [[path, /it cannot be read/]])
  },
)

t.test('what an interrupted run left is used or replaced, and never trusted', needs('flock'), async (t) => {
  const { data, parts, to } = await published()
  await parts.publishFile('big', 'x', 'b'.repeat(2_000_000))
  await parts.publishFile('torn', 'x', 't'.repeat(2_000_000))
  await parts.ownerViews.settle() // they are among the files that are counted
  const stopped = new AbortController()
  let files = 0
  const made = make({ data, to }, (use) => use(STILL), {
    signal: stopped.signal,
    file: () => void (++files === 35 && stopped.abort()),
  })
  await t.rejects(made, { name: 'AbortError' })
  t.same(readdirSync(to).sort(), ['.lock', '.unfinished'])
  // As a power cut might leave it: the look of the file, and other bytes.
  const left = join(to, '.unfinished')
  for (const name of [`${TOOL}/torn/x`, `${TOOL}/1.0/x`, `${MODULE}/list`]) {
    const { mtime, size } = statSync(join(data, name))
    mkdirSync(dirname(join(left, name)), { recursive: true })
    writeFileSync(join(left, name), Buffer.alloc(size))
    utimesSync(join(left, name), mtime, mtime)
  }
  mkdirSync(join(left, 'tree/api/packages/gone/go'), { recursive: true })
  symlinkSync('/etc/passwd', join(left, 'tree/api/packages/gone/go/link'))
  const { path, damaged } = await make({ data, to }, (use) => use(STILL))
  t.equal(damaged.size, 0, JSON.stringify([...damaged]))
  const copy = await restored(path)
  t.same(copy.problems, [])
  for (const name of [`${TOOL}/torn/x`, `${TOOL}/1.0/x`])
    t.ok(readFileSync(join(copy.data, name)).equals(readFileSync(join(data, name))), name)
  t.same(readdirSync(join(copy.data, 'tree/api/packages')), ['admin'])
})

t.test('so many are kept, and none goes before the new one is whole', needs('flock'), async (t) => {
  const { data, to } = await published()
  const names = (): string[] => readdirSync(to).filter((name) => !name.startsWith('.') && name !== 'latest')
  for (let count = 0; count < 4; count++) await make({ data, to }, (use) => use(STILL))
  t.equal(names().length, 4, 'four in the same second have names of their own')
  mkdirSync(join(to, '.removed-2020-01-01T00-00-00Z/tree'), { recursive: true })
  mkdirSync(join(to, 'mine'))
  await t.rejects(
    make({ data, to }, () => Promise.reject(new Error('no'))),
    { message: 'no' },
  )
  t.equal(names().length, 5)
  const before = names()
  const { removed, path } = await make({ data, to }, (use) => use(STILL), { keep: 2 })
  t.equal(removed.length, 3)
  t.same(
    names().sort(),
    [...before.filter((name) => !removed.includes(name)), path.slice(to.length + 1)].sort(),
    'what is no backup stays',
  )
  t.notOk(existsSync(join(to, '.removed-2020-01-01T00-00-00Z')), 'what was being removed went')
})

t.test('folders that cannot hold backups', needs('flock'), async (t) => {
  const { data, to } = await published()
  const refused = (folder: string, says: RegExp): Promise<unknown> =>
    t.rejects(Destination.open(folder, data), { name: 'StartProblem', message: says })
  await refused(join(data, 'backup'), /is inside of/)
  await refused(data, /is inside of/)
  await refused(dirname(data), /is inside of/)
  symlinkSync(data, join(dirname(data), 'link'))
  await refused(join(dirname(data), 'link/x/../b'), /is inside of/)
  await refused(join(data, 'access/accounts/admin.json'), /is inside of/)
  writeFileSync(to, '')
  await refused(to, /is not a folder/)
  rmSync(to)
  const first = await Destination.open(to, data)
  await refused(to, /another plinth makes a backup/)
  first.close()
  ;(await Destination.open(to, data)).close()
  t.equal(statSync(to).mode & 0o777, 0o700)
})

t.test('what a restore refuses, and what it leaves', needs('flock'), async (t) => {
  const { data, to } = await published()
  const { path } = await make({ data, to }, (use) => use(STILL))
  const options = { signal: NEVER, onFile: (): void => {} }
  const refused = (target: string, from: string, says: RegExp): Promise<unknown> =>
    t.rejects(restoreTo(target, from, options), { name: 'StartProblem', message: says })
  const target = join(memoryFolder(), 'target')
  await refused(target, data, /is no backup/)
  await refused(data, path, /is not empty/)
  await refused(join(path, 'x'), path, /is inside of/)
  writeFileSync(join(path, 'state/format'), '7\n')
  await refused(target, path, /has format 7/)
  writeFileSync(join(path, 'state/format'), '1\n')
  t.notOk(existsSync(target), 'nothing was made')

  const stopped = new AbortController()
  const begun = restoreTo(target, path, { signal: stopped.signal, onFile: () => stopped.abort() })
  await t.rejects(begun, { name: 'AbortError' })
  t.equal(readFileSync(join(target, 'state/format'), 'utf8'), 'restoring\n', 'no Plinth starts on it')
  await restoreTo(target, path, options)
  t.equal(readFileSync(join(target, 'state/format'), 'utf8'), '1\n')
  t.notOk(existsSync(join(target, 'state/backup.json')), 'it is no backup')
  const store = new Store(target)
  t.ok(await store.exists('access/accounts/admin.json'))
})
