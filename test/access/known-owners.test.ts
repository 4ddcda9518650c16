// What is remembered of an owner is right after every change of its file, by whichever process, and costs one look.

import { join } from 'node:path'
import { renameSync, rmSync, writeFileSync } from 'node:fs'
import t from 'tap'
import { KnownOwners } from '../../src/access/known-owners.js'
import { addOwner, setOwner } from '../../src/access/owners.js'
import { FIRST_FORMAT, PROMISE_FORMAT, readFormat, writeFormat } from '../../src/store/format.js'
import { Store } from '../../src/store/store.js'
import { deriveAccess } from '../../src/access/derive.js'
import { withMethods } from '../support/parts.js'
import { memoryFolder } from '../support/temp-folder.js'

async function make() {
  const data = join(memoryFolder(), 'data')
  const store = new Store(data)
  await store.prepare()
  const seen: string[] = []
  const watched = withMethods(store, {
    status: (path) => (seen.push(`status ${path}`), store.status(path)),
    read: (path) => (seen.push(`read ${path}`), store.read(path)),
    exists: (path) => (seen.push(`exists ${path}`), store.exists(path)),
  })
  const calls = (): string[] => seen.splice(0)
  return { data, store, owners: new KnownOwners(watched), calls, file: join(data, 'access/owners/team.json') }
}

t.test('the file is read once, then looked at', async (t) => {
  const { store, owners, calls } = await make()
  await addOwner(store, { name: 'team', public: true })
  const look = 'status access/owners/team.json'
  t.same(await owners.find('team'), { name: 'team', public: true })
  t.same(calls(), [look, 'read access/owners/team.json'])
  for (const _ of [1, 2]) t.same(await owners.mustBeDeclared('team'), { name: 'team', public: true })
  t.same(calls(), [look, look])
  await setOwner(store, { name: 'team', immutable: true })
  t.same(await owners.find('team'), { name: 'team', public: true, immutable: true })
  t.same(await setOwner(store, { name: 'team', public: false }), {
    name: 'team',
    public: false,
    immutable: true,
  })
  t.same(
    await owners.find('team'),
    { name: 'team', public: false, immutable: true },
    'what is not said stays',
  )
  t.same(await setOwner(store, { name: 'team', immutable: false }), { name: 'team', public: false })
  t.same(await owners.find('team'), { name: 'team', public: false })
})

t.test('an owner that goes and comes is another one', async (t) => {
  const { store, owners, calls, file } = await make()
  t.equal(await owners.find('team'), undefined)
  await t.rejects(owners.mustBeDeclared('team'), /no owner "team": declare it with/)
  await addOwner(store, { name: 'team', public: true, immutable: true })
  t.match(await owners.find('team'), { immutable: true })
  rmSync(file)
  await t.rejects(owners.mustBeDeclared('team'), /no owner/)
  writeFileSync(`${file}.new`, '{"public":true}')
  renameSync(`${file}.new`, file)
  t.same(await owners.find('team'), { name: 'team', public: true })
  calls()
  for (const name of ['../accounts/admin', '', 'a/b']) t.equal(await owners.find(name), undefined, name)
  t.same(calls(), [], 'a name that none can have is not looked for')
})

t.test(
  'a change of a damaged file is what it says, and keeps the promise until it is taken back',
  async (t) => {
    const { store, owners, file } = await make()
    await addOwner(store, { name: 'team', public: true })
    writeFileSync(file, '{"public":tr')
    t.same(await owners.find('team'), { name: 'team', public: false, immutable: true })
    await setOwner(store, { name: 'team', public: true })
    t.same(await owners.find('team'), { name: 'team', public: true, immutable: true })
    await setOwner(store, { name: 'team', immutable: false })
    t.same(await owners.find('team'), { name: 'team', public: true })
  },
)

t.test('a folder with an immutable owner is refused by programs of before, any other is not', async (t) => {
  const { data, store } = await make()
  writeFormat(data, FIRST_FORMAT)
  await addOwner(store, { name: 'team', public: true })
  await setOwner(store, { name: 'team', public: false })
  t.equal(readFormat(data), FIRST_FORMAT)
  let atWrite: number | undefined
  const watched = withMethods(store, {
    write: (path, ...rest) => {
      if (path === 'access/owners/team.json') atWrite = readFormat(data)
      return store.write(path, ...rest)
    },
  })
  await setOwner(watched, { name: 'team', immutable: true })
  t.equal(atWrite, PROMISE_FORMAT, 'before the file says it')
  await setOwner(store, { name: 'team', immutable: false })
  t.equal(readFormat(data), PROMISE_FORMAT, 'tombstones may be there')
  await setOwner(store, { name: 'team', immutable: true })
  writeFormat(data, FIRST_FORMAT) // as a copy of files of several moments has it
  await deriveAccess(store)
  t.equal(readFormat(data), PROMISE_FORMAT)
})
