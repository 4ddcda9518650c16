// Folders that are exchanged while they are open.

import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmdirSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { Changed, Exchangeable, OpenedFolder } from '../../src/store/opened-folder.js'
import { memoryFolder } from '../support/temp-folder.js'

const DESCRIPTORS = '/proc/self/fd'
const linux = existsSync(DESCRIPTORS) ? {} : { skip: 'NOT TESTED: there is no /proc on this machine' }
/** Where no descriptor is, as on a machine without /proc. */
const NOWHERE = '/there/is/no/proc'

/** A folder `inbox/a/b` with the file `x`, and `secrets` with another `x`. */
function makeFolders() {
  const root = memoryFolder()
  for (const folder of ['inbox/a/b', 'secrets']) mkdirSync(join(root, folder), { recursive: true })
  writeFileSync(join(root, 'inbox/a/b/x'), 'dropped')
  writeFileSync(join(root, 'secrets/x'), 'a secret')
  return {
    root,
    inbox: join(root, 'inbox'),
    secrets: join(root, 'secrets'),
    /** Gives the name of `folder` to a link that leads to the secrets. The folder gets another name. */
    exchange: (folder: string): string => {
      const now = join(root, 'moved')
      renameSync(join(root, folder), now)
      symlinkSync(join(root, 'secrets'), join(root, folder))
      return now
    },
  }
}

async function openB(inbox: string): Promise<OpenedFolder> {
  const root = await OpenedFolder.open(inbox)
  const a = await root.child('a')
  const b = await a.child('b')
  await Promise.all([root.close(), a.close()])
  return b
}

t.test('what is done in a folder that was exchanged for a link is done in the folder', linux, async (t) => {
  for (const exchanged of ['inbox/a/b', 'inbox/a']) {
    const { inbox, secrets, exchange } = makeFolders()
    const folder = await openB(inbox)
    const now = exchange(exchanged)
    const moved = exchanged === 'inbox/a' ? join(now, 'b') : now
    t.equal(readFileSync(folder.at('x'), 'utf8'), 'dropped')
    t.same(readdirSync(folder.at()), ['x'])
    writeFileSync(folder.at('new'), '')
    renameSync(folder.at('x'), folder.at('y'))
    unlinkSync(folder.at('new'))
    mkdirSync(folder.at('folder'))
    rmdirSync(folder.at('folder'))
    t.same(readdirSync(moved), ['y'])
    t.same(readdirSync(secrets), ['x'])
    t.equal(readFileSync(join(secrets, 'x'), 'utf8'), 'a secret')
    await t.rejects(folder.mustBeInPlace(), Changed)
    await folder.close()
  }
})

t.test('only a folder is opened, and never through a link', linux, async (t) => {
  const { root, inbox, secrets, exchange } = makeFolders()
  symlinkSync(secrets, join(inbox, 'link'))
  symlinkSync('nowhere', join(inbox, 'dangling'))
  writeFileSync(join(inbox, 'file'), '')
  const opened = await OpenedFolder.open(inbox)
  for (const name of ['link', 'dangling', 'file', 'missing'])
    await t.rejects(opened.child(name), Changed, name)
  for (const name of ['link', 'file', 'missing'])
    await t.rejects(OpenedFolder.open(join(inbox, name)), Changed, name)
  await t.rejects(opened.ensureChild('link'), Changed, 'nothing is made behind a link')
  const made = await opened.ensureChild('made')
  t.equal(made.path, join(inbox, 'made'))
  await (await opened.ensureChild('made')).close()
  exchange('inbox/a')
  await t.rejects(OpenedFolder.open(join(inbox, 'a')), Changed)
  mkdirSync(join(secrets, 'b'))
  await t.rejects(OpenedFolder.open(join(inbox, 'a/b')), Changed, 'a link on the way')
  await t.rejects(OpenedFolder.open(`${root}/inbox/../inbox`), Changed, 'it is the path without links')
  await Promise.all([opened.close(), made.close()])
})

t.test('a name is the name of one file', linux, async (t) => {
  const { inbox } = makeFolders()
  const folder = await OpenedFolder.open(inbox)
  for (const name of ['', '.', '..', 'a/b', '/etc', '../secrets/x', 'a\0'])
    t.throws(() => folder.at(name), /is not the name of one file/, JSON.stringify(name))
  await folder.close()
  t.throws(() => folder.at('a'), /is closed/, 'its number may be that of another file')
  await t.rejects(folder.child('a'), /is closed/)
})

t.test('a folder that was removed is not in its place', linux, async (t) => {
  const { inbox } = makeFolders()
  const root = await OpenedFolder.open(inbox)
  const made = await root.ensureChild('made')
  await made.mustBeInPlace()
  rmdirSync(join(inbox, 'made'))
  await t.rejects(made.mustBeInPlace(), Changed)
  mkdirSync(join(inbox, 'made'))
  await t.rejects(made.mustBeInPlace(), Changed, 'another folder has the name')
  t.throws(() => writeFileSync(made.at('x'), ''), { code: 'ENOENT' })
  await Promise.all([root.close(), made.close()])
})

t.test('without /proc only folders are opened that nobody else can exchange', async (t) => {
  const { inbox } = makeFolders()
  const root = await OpenedFolder.open(inbox, NOWHERE)
  const a = await root.child('a')
  t.equal(a.at('b'), join(inbox, 'a/b'))
  await a.mustBeInPlace()
  await a.close()
  for (const mode of [0o775, 0o757, 0o777]) {
    chmodSync(join(inbox, 'a'), mode)
    await t.rejects(root.child('a'), Exchangeable, `0${mode.toString(8)}`)
    await t.rejects(OpenedFolder.open(join(inbox, 'a'), NOWHERE), Exchangeable)
  }
  await root.close()
})

const rootOnly = process.getuid?.() === 0 ? {} : { skip: 'NOT TESTED: only root can give a folder away' }

t.test('without /proc a folder of another user is not opened', rootOnly, async (t) => {
  const { inbox } = makeFolders()
  chownSync(inbox, 65_534, 65_534)
  await t.rejects(OpenedFolder.open(inbox, NOWHERE), Exchangeable)
})

t.test('every descriptor is closed, whatever happens', linux, async (t) => {
  const { root: folders, inbox, exchange } = makeFolders()
  // Others of this process may come and go.
  const open = (): string[] =>
    readdirSync(DESCRIPTORS).flatMap((fd) => {
      try {
        const path = readlinkSync(join(DESCRIPTORS, fd))
        return path.startsWith(folders) ? [path] : []
      } catch {
        return [] // that of the list itself
      }
    })
  const root = await OpenedFolder.open(inbox)
  t.same(open(), [inbox], 'while it is open')
  await t.rejects(root.child('missing'))
  exchange('inbox/a')
  await t.rejects(root.child('a'))
  await t.rejects(OpenedFolder.open(join(inbox, 'a/b')))
  chmodSync(inbox, 0o777)
  await t.rejects(OpenedFolder.open(inbox, NOWHERE), Exchangeable)
  await root.close()
  t.same(open(), [])
})
