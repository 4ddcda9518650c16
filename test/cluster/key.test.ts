import { chmodSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { makeClusterKey, readClusterKey } from '../../src/cluster/key.js'
import { StartProblem } from '../../src/errors.js'
import { Store } from '../../src/store/store.js'
import { tempFolder } from '../support/temp-folder.js'

async function newStore() {
  const data = tempFolder()
  const store = new Store(data)
  await store.prepare()
  return { data, store, path: join(data, 'state/cluster-key') }
}

t.test('the key is made once, for its owner alone', async (t) => {
  const { data, store, path } = await newStore()
  t.equal(await readClusterKey(data), undefined, 'there is none at first')
  // two services at the same moment, where locks do not hold
  const made = await Promise.all([makeClusterKey(store), makeClusterKey(new Store(data))])
  t.same(made[0], made[1], 'both have the same')
  t.equal(made[0].length, 32)
  t.same(await makeClusterKey(store), made[0], 'it stays')
  t.same(await readClusterKey(data), made[0])
  t.equal(statSync(path).mode & 0o777, 0o600)
  t.equal(readFileSync(path, 'latin1'), `${made[0].toString('hex')}\n`)
  t.same(readdirSync(join(data, 'state/tmp')), [], 'nothing is left beside it')
  const { store: other } = await newStore()
  t.not(
    (await makeClusterKey(other)).toString('hex'),
    made[0].toString('hex'),
    'no two folders have the same',
  )
})

t.test('a key that others may have read is refused, and not replaced by itself', async (t) => {
  const { data, store, path } = await newStore()
  await makeClusterKey(store)
  const before = readFileSync(path)
  for (const mode of [0o604, 0o640, 0o610, 0o602]) {
    chmodSync(path, mode)
    for (const get of [() => readClusterKey(data), () => makeClusterKey(store)])
      await t.rejects(get(), {
        constructor: StartProblem,
        message: /other users may read state\/cluster-key/,
      })
  }
  t.same(readFileSync(path), before)
})

t.test('a key that is malformed is refused', async (t) => {
  const { data, store, path } = await newStore()
  const hex = 'a0'.repeat(32)
  for (const text of [
    '',
    '\n',
    hex.slice(1),
    `${hex}0`,
    `${hex}\n\n`,
    ` ${hex}`,
    hex.toUpperCase(),
    `${hex}x`.repeat(9),
  ]) {
    writeFileSync(path, text, { mode: 0o600 })
    for (const get of [() => readClusterKey(data), () => makeClusterKey(store)])
      await t.rejects(get(), { constructor: StartProblem, message: /64 hex digits/ }, JSON.stringify(text))
  }
  writeFileSync(path, hex, { mode: 0o600 }) // as an editor may leave it
  t.same(await readClusterKey(data), Buffer.from(hex, 'hex'))
})

t.test('a key that cannot be read is a problem with a name', async (t) => {
  const { data, store, path } = await newStore()
  rmSync(path, { force: true })
  await store.ensureFolder('state/cluster-key')
  chmodSync(path, 0o700)
  await t.rejects(readClusterKey(data), { message: /EISDIR|cluster-key/ })
})
