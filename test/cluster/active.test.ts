import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { readActive, removeActive, writeActive } from '../../src/cluster/active.js'
import { Store } from '../../src/store/store.js'
import { withMethods } from '../support/parts.js'
import { tempFolder } from '../support/temp-folder.js'

const ACTIVE = { holder: 'pid 61 on machine-a', address: { host: '10.0.0.11', port: 8081 } }

async function newStore() {
  const data = tempFolder()
  const store = new Store(data)
  await store.prepare()
  return { data, store, path: join(data, 'state/active') }
}

t.test('what is written is read, and is gone when it is removed', async (t) => {
  const { data, store, path } = await newStore()
  t.equal(await readActive(data), undefined)
  await writeActive(store, ACTIVE)
  t.same(await readActive(data), ACTIVE)
  t.equal(readFileSync(path, 'utf8'), '{"holder":"pid 61 on machine-a","address":"10.0.0.11:8081"}\n')
  t.equal(statSync(path).mode & 0o777, 0o600)
  const next = { holder: 'pid 7 on machine-b', address: { host: 'fd00::12', port: 1 } }
  await writeActive(store, next)
  t.same(await readActive(data), next, 'another one takes its place')
  await removeActive(store, ACTIVE.holder)
  t.same(await readActive(data), next, 'one that ends late takes nobody else away')
  await removeActive(store, next.holder)
  t.equal(await readActive(data), undefined)
  await removeActive(store, next.holder)
  await removeActive(store)
  t.notOk(existsSync(path), 'it may be gone already')
})

t.test('each step is synced: a power cut brings no service back', async (t) => {
  const { data, store } = await newStore()
  const synced: string[] = []
  const watched = withMethods(store, {
    sync: async (folder: string) => void synced.push(`${folder} ${existsSync(join(data, 'state/active'))}`),
  })
  await writeActive(watched, ACTIVE)
  await removeActive(watched)
  t.same(synced, ['state true', 'state false'])
})

t.test('a torn or damaged file is nobody', async (t) => {
  const { data, store, path } = await newStore()
  await writeActive(store, ACTIVE)
  const whole = readFileSync(path, 'utf8')
  for (let length = 0; length < whole.length - 1; length++) {
    writeFileSync(path, whole.slice(0, length))
    t.equal(await readActive(data), undefined, whole.slice(0, length))
  }
  const DAMAGED = [
    'null',
    '[]',
    '1',
    '{}',
    '{"holder":1,"address":"10.0.0.11:8081"}',
    '{"holder":"x"}',
    '\0'.repeat(60),
  ]
  DAMAGED.push('{"holder":"x","address":"0.0.0.0:8081"}', '{"holder":"x","address":"unix:/x"}')
  for (const text of DAMAGED) {
    writeFileSync(path, text)
    t.equal(await readActive(data), undefined, text)
  }
  await removeActive(store)
  t.notOk(existsSync(path), 'whoever becomes active takes it away, too')
})
