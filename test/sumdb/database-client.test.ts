// A client of a checksum database believes nothing that is not proved, whoever serves it: the holder of the key, too.

import t from 'tap'
import { DatabaseClient, ForkedLog, type NotedHead } from '../../src/sumdb/database-client.js'
import { newSigner, signHead } from '../../src/sumdb/note.js'
import { lookupName } from '../../src/sumdb/paths.js'
import { hashOf, nthLines, nthSums, nthVersion, ServedDatabase } from '../support/served-database.js'

const FORKED = /are not of one log/
const SIGNER = newSigner('sum.corp.example/team')
const noted = (database: ServedDatabase, size: number): NotedHead => ({
  ...database.headAt(size),
  text: database.heads[size] ?? '',
})
const pathTo = (id: number): string => `lookup/${lookupName(nthVersion(id))}`

t.test('every version is found, and proved by the newest head', async (t) => {
  for (const batch of [1, 7, 300]) {
    const database = ServedDatabase.of(300, { batch, signer: SIGNER })
    const client = await DatabaseClient.open(database, SIGNER)
    const found = []
    for (let id = 0; id < 300; id++) found.push(await client.lookup(nthVersion(id)))
    t.same(found, Array.from(found.keys(), nthSums))
    t.equal(client.newest.size, 300)
    t.equal(await client.lookup({ module: 'corp.example/none', version: 'v1.0.0' }), undefined)
    t.equal(database.seen.filter((path) => path === 'tile/8/0/000').length, 1, 'a full tile is read once')
  }
})

t.test('the log may grow meanwhile', async (t) => {
  const database = ServedDatabase.of(250, { signer: SIGNER })
  const client = await DatabaseClient.open(database, SIGNER)
  for (let id = 250; id < 520; id++) database.commit([[id, nthLines(id)]])
  const ids = [519, 3, 260, 255, 256, 400, 249, 518]
  t.same(await Promise.all(ids.map((id) => client.lookup(nthVersion(id)))), ids.map(nthSums))
  t.equal(client.newest.text, database.heads[520])
})

t.test('the tiles of latest may be full, and their partial ones gone, when they are read', async (t) => {
  const database = ServedDatabase.of(300, { signer: SIGNER })
  const late = {
    read: async (path: string): Promise<Buffer | undefined> =>
      path === 'latest' ? Buffer.from(database.heads[250] ?? '') : database.read(path),
  }
  const client = await DatabaseClient.open(late, SIGNER, noted(database, 40))
  t.same(await client.lookup(nthVersion(7)), nthSums(7))
  t.ok(database.seen.includes('tile/8/0/000.p/250'))
})

t.test('the log continues what was remembered', async (t) => {
  const database = ServedDatabase.of(300, { signer: SIGNER })
  for (const size of [1, 100, 255, 256, 257, 299, 300])
    t.ok(await DatabaseClient.open(database, SIGNER, noted(database, size)), `${size} were remembered`)

  const other = new ServedDatabase(SIGNER)
  for (let id = 0; id < 300; id++) other.commit([[id, nthLines(id === 99 ? 900 : id)]])
  t.ok(await DatabaseClient.open(database, SIGNER, noted(other, 99)), 'both logs begin with this one')
  for (const size of [100, 256, 299, 300])
    await t.rejects(DatabaseClient.open(database, SIGNER, noted(other, size)), FORKED, `${size} records`)
  const young = ServedDatabase.of(200, { signer: SIGNER })
  const error = await DatabaseClient.open(young, SIGNER, noted(database, 300)).catch(
    (thrown: unknown) => thrown,
  )
  t.match(error, { message: /300 records, root .*200 records, root .*fewer records/ })
  t.same((error as ForkedLog).heads, [database.heads[300], young.heads[200]])
})

const OTHER_ROOT = Buffer.alloc(32, 9)

/** What a server makes of a good database of 300 records, and what is said of the version 5. */
const LIES: [title: string, lie: (database: ServedDatabase) => void, error: RegExp][] = [
  [
    'a head of the same size with another root',
    (database) =>
      database.edit(
        pathTo(5),
        (text) => `${text.split('\n\n')[0]}\n\n${signHead(SIGNER, { size: 300, root: OTHER_ROOT })}`,
      ),
    FORKED,
  ],
  [
    'an older head with another root',
    (database) =>
      database.edit(
        pathTo(5),
        (text) => `${text.split('\n\n')[0]}\n\n${signHead(SIGNER, { size: 30, root: OTHER_ROOT })}`,
      ),
    FORKED,
  ],
  [
    'a newer head that nothing leads to',
    (database) =>
      database.edit(
        pathTo(5),
        (text) => `${text.split('\n\n')[0]}\n\n${signHead(SIGNER, { size: 301, root: OTHER_ROOT })}`,
      ),
    /has another root than|is not there/,
  ],
  [
    'the head of another key',
    (database) => {
      const head = signHead(newSigner(SIGNER.name), database.headAt(300))
      database.edit(pathTo(5), (text) => `${text.split('\n\n')[0]}\n\n${head}`)
    },
    /has no head that .* signed/,
  ],
  [
    'other hashes than those of the record',
    (database) => database.edit(pathTo(5), (text) => text.replace(nthSums(5).zip, hashOf(77))),
    /is not record 5 of the log/,
  ],
  [
    'the number of another record',
    (database) => database.edit(pathTo(5), (text) => text.replace(/^5\n/, '6\n')),
    /is record 6, which its head does not have/,
  ],
  [
    'the number of an earlier record',
    (database) => database.edit(pathTo(5), (text) => text.replace(/^5\n/, '4\n')),
    /is not record 4 of the log/,
  ],
  [
    'the record of another version',
    (database) => database.files.set(pathTo(5), database.files.get(pathTo(6)) ?? Buffer.alloc(0)),
    /is the record of another version/,
  ],
  ['a page', (database) => database.files.set(pathTo(5), Buffer.from('<html>')), /is not the answer/],
  ['nothing', (database) => database.files.set(pathTo(5), Buffer.alloc(0)), /is not the answer/],
  [
    'a tile of other hashes',
    (database) => database.files.set('tile/8/0/000', Buffer.alloc(8192, 1)),
    /tile\/8\/0\/000 is not the tile/,
  ],
  ['no tile', (database) => database.files.delete('tile/8/0/000'), /tile\/8\/0\/000 is not there/],
]

t.test('what is not proved is not believed', async (t) => {
  for (const [title, lie, error] of LIES) {
    const database = ServedDatabase.of(300, { batch: 6, signer: SIGNER })
    lie(database)
    const client = await DatabaseClient.open(database, SIGNER)
    await t.rejects(client.lookup(nthVersion(5)), error, title)
    t.equal(client.newest.size, 300, `${title}: the newest head is the one that was proved`)
  }
})

t.test('a log that grows into another one', async (t) => {
  const database = ServedDatabase.of(250, { signer: SIGNER })
  const client = await DatabaseClient.open(database, SIGNER)
  await client.lookup(nthVersion(5))
  const other = new ServedDatabase(SIGNER)
  for (let id = 0; id < 300; id++) other.commit([[id, nthLines(id === 99 ? 900 : id)]])
  for (const [path, content] of other.files) database.files.set(path, content)
  await t.rejects(client.lookup(nthVersion(280)), FORKED)
  t.equal(client.newest.text, database.heads[250])
})

t.test('latest must be a head, and proved', async (t) => {
  const TABLE: [title: string, latest: Buffer | undefined, error: RegExp][] = [
    ['none', undefined, /latest is not there/],
    ['a page', Buffer.from('<html>'), /latest is no head/],
    [
      'of another key',
      Buffer.from(signHead(newSigner(SIGNER.name), { size: 1, root: OTHER_ROOT })),
      /latest is no head/,
    ],
    [
      'of another root',
      Buffer.from(signHead(SIGNER, { size: 300, root: OTHER_ROOT })),
      /has another root than tile/,
    ],
    [
      'beyond what is there',
      Buffer.from(signHead(SIGNER, { size: 302, root: OTHER_ROOT })),
      /tile\/8\/0\/001.p\/46 is not there/,
    ],
  ]
  for (const [title, latest, error] of TABLE) {
    const database = ServedDatabase.of(300, { batch: 50, signer: SIGNER })
    if (latest) database.files.set('latest', latest)
    else database.files.delete('latest')
    await t.rejects(DatabaseClient.open(database, SIGNER), error, title)
  }
})
