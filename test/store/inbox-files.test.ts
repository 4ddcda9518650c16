// How files leave the inbox while somebody else exchanges them.

import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { inFolder, removeEmptyFolder, removeUnchanged, writeBeside } from '../../src/store/inbox-files.js'
import { Changed, OpenedFolder } from '../../src/store/opened-folder.js'
import { signatureOf } from '../../src/store/reading.js'
import { withMethods } from '../support/parts.js'
import { memoryFolder } from '../support/temp-folder.js'

const linux = existsSync('/proc/self/fd') ? {} : { skip: 'NOT TESTED: there is no /proc on this machine' }

/** The file `x` in an opened folder, and the file that it is moved over. */
async function makeEntry() {
  const root = memoryFolder()
  const inbox = join(root, 'inbox')
  mkdirSync(inbox)
  writeFileSync(join(inbox, 'x'), 'first')
  writeFileSync(join(root, 'other'), 'second')
  writeFileSync(join(root, 'copy'), 'first')
  const folder = await OpenedFolder.open(inbox)
  const signature = signatureOf(statSync(join(inbox, 'x')))
  /** The folder, in which `act` is done when a name is looked up for the second time: between look and removal. */
  const acting = (act: () => void): OpenedFolder => {
    let looks = 0
    return withMethods(folder, {
      at: (name?: string) => {
        if (++looks === 2) act()
        return folder.at(name)
      },
    })
  }
  return { root, inbox, folder, signature, acting, copy: join(root, 'copy') }
}

t.test('a file is removed if it is what was looked at', linux, async (t) => {
  const { inbox, folder, signature, copy } = await makeEntry()
  t.ok(removeUnchanged({ folder, name: 'x' }, signature, copy))
  t.same(readdirSync(inbox), [])
  t.notOk(removeUnchanged({ folder, name: 'x' }, signature, copy), 'it is gone')
  writeFileSync(join(inbox, 'x'), 'another')
  t.notOk(removeUnchanged({ folder, name: 'x' }, signature, copy))
  t.equal(readFileSync(join(inbox, 'x'), 'utf8'), 'another')
  await folder.close()
})

t.test('another file that gets the name between the look and the removal stays', linux, async (t) => {
  const { root, inbox, folder, signature, acting, copy } = await makeEntry()
  const exchanged = acting(() => renameSync(join(root, 'other'), join(inbox, 'x')))
  t.notOk(removeUnchanged({ folder: exchanged, name: 'x' }, signature, copy))
  t.equal(readFileSync(join(inbox, 'x'), 'utf8'), 'second')
  t.equal(statSync(join(inbox, 'x')).nlink, 1, 'it is no hard link, which would be refused')
  t.notOk(existsSync(copy))
  await folder.close()
})

t.test('it is put back beside a third one that has the name by then', linux, async (t) => {
  const { root, inbox, folder, signature, copy } = await makeEntry()
  let looks = 0
  const exchanged = withMethods(folder, {
    at: (name?: string) => {
      looks++
      if (looks === 2) renameSync(join(root, 'other'), join(inbox, 'x'))
      if (looks === 3) writeFileSync(join(inbox, 'x'), 'third')
      return folder.at(name)
    },
  })
  t.notOk(removeUnchanged({ folder: exchanged, name: 'x' }, signature, copy))
  t.same(
    ['x', 'x.2'].map((name) => readFileSync(join(inbox, name), 'utf8')),
    ['third', 'second'],
  )
  await folder.close()
})

t.test('a folder or nothing that gets the name stays', linux, async (t) => {
  const { inbox, folder, signature, acting, copy } = await makeEntry()
  const exchanged = acting(() => {
    renameSync(join(inbox, 'x'), join(inbox, 'y'))
    mkdirSync(join(inbox, 'x/inside'), { recursive: true })
  })
  t.notOk(removeUnchanged({ folder: exchanged, name: 'x' }, signature, copy))
  t.same(readdirSync(inbox).sort(), ['x', 'y'])
  t.ok(existsSync(join(inbox, 'x/inside')))
  const status = signatureOf(statSync(join(inbox, 'y')))
  const gone = acting(() => renameSync(join(inbox, 'y'), join(inbox, 'z')))
  t.notOk(removeUnchanged({ folder: gone, name: 'y' }, status, copy))
  t.ok(existsSync(join(inbox, 'z')))
  await folder.close()
})

t.test('an empty folder is removed if it is what was looked at', linux, async (t) => {
  const { inbox, folder } = await makeEntry()
  mkdirSync(join(inbox, 'a'))
  const signature = signatureOf(statSync(join(inbox, 'a')))
  writeFileSync(join(inbox, 'a/file'), '')
  t.notOk(removeEmptyFolder({ folder, name: 'a' }, signature), 'it has changed')
  t.notOk(
    removeEmptyFolder({ folder, name: 'a' }, signatureOf(statSync(join(inbox, 'a')))),
    'it is not empty',
  )
  mkdirSync(join(inbox, 'b'))
  t.ok(removeEmptyFolder({ folder, name: 'b' }, signatureOf(statSync(join(inbox, 'b')))))
  t.notOk(removeEmptyFolder({ folder, name: 'b' }, signature))
  t.notOk(removeEmptyFolder({ folder, name: 'x' }, signatureOf(statSync(join(inbox, 'x')))), 'a file')
  await folder.close()
})

t.test('a text that cannot be written leaves nothing', linux, async (t) => {
  const { inbox, folder } = await makeEntry()
  mkdirSync(join(inbox, 'taken'))
  await t.rejects(writeBeside({ folder, name: 'taken' }, 'text'))
  t.same(readdirSync(inbox).sort(), ['taken', 'x'])
  await folder.close()
})

t.test('a folder that is moved while it is being reached is not used', linux, async (t) => {
  const root = memoryFolder()
  mkdirSync(join(root, 'inbox/a/b'), { recursive: true })
  mkdirSync(join(root, 'inbox/other'))
  const openRoot = async (): Promise<OpenedFolder> => {
    const opened = await OpenedFolder.open(join(root, 'inbox'))
    return withMethods(opened, {
      child: async (name: string) => {
        const child = await opened.child(name)
        renameSync(join(root, 'inbox/a'), join(root, 'a'))
        return child
      },
    })
  }
  await t.rejects(
    inFolder(openRoot, 'a/b', async () => t.fail('it is used')),
    Changed,
  )
})
