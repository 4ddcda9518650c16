// The auditor of checksum databases finds nothing in good ones, and names each wrong file of bad ones: what it is
// trusted with elsewhere. PLINTH_TEST_LARGE_LOGS=1 adds the sizes around 65,536, at which a log gets a third level of tiles.

import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { audit, generate, signAnyHead } from '../support/auditor.js'
import { needs } from '../support/programs.js'
import { startScriptedServer } from '../support/scripted-server.js'
import { memoryFolder } from '../support/temp-folder.js'

const LARGE = [65_535, 65_536, 65_537, 65_538]
const SIZES = [0, 1, 2, 3, 255, 256, 257, 511, 512, 513]
const large = process.env['PLINTH_TEST_LARGE_LOGS'] === '1' ? LARGE : []

t.test('good databases of each size', { ...needs('go'), timeout: 300_000 }, async (t) => {
  const folder = memoryFolder()
  for (const size of [...SIZES, ...large]) {
    for (const batch of size > 1000 ? [257] : [1, 3]) {
      const at = join(folder, `${size}-${batch}`)
      const { key, db, state, root } = generate({ out: join(at, 'go'), size, batch })
      const found = await audit({ key, db, state, memory: join(at, 'memory'), clients: 20 })
      t.strictSame(found.problems, [], `${size} records in batches of ${batch}`)
      t.equal(found.size, size)
      t.equal(found.root, root)
      t.equal(found.lookups, 4 * Math.min(size, 20))
      rmSync(at, { recursive: true })
    }
  }
})

/** A good database of 300 versions with their zips, each with a head of its own. */
const good = (name: string) => {
  const folder = join(memoryFolder(), name)
  const out = join(folder, 'go')
  return { folder, out, memory: join(folder, 'memory'), ...generate({ out, size: 300, zips: true }) }
}
type Good = ReturnType<typeof good>

const flip = (path: string, at: number): void => {
  const bytes = readFileSync(path)
  bytes.writeUInt8((bytes[at] ?? 0) ^ 1, at)
  writeFileSync(path, bytes)
}
const edit = (path: string, change: (text: string) => string): void =>
  writeFileSync(path, change(readFileSync(path, 'utf8')))
const withHead = (lookup: string, head: string): string => `${lookup.split('\n\n', 1)[0]}\n\n${head}`

const FIRST = 'lookup/corp.example/m0@v1.0.0'
const OTHER_ROOT = Buffer.alloc(32, 7).toString('base64')
const widths = (from: number, to: number): string[] =>
  Array.from({ length: to - from + 1 }, (_, n) => `tile/8/0/001.p/${from + n}`)

/** Each makes a good database wrong, and names the files that are. */
const MUTANTS: Record<string, (good: Good) => string[]> = {
  'a lookup was shown before the files of its head': ({ folder, db }) => {
    const next = generate({ out: join(folder, 'next'), state: join(folder, 'after'), size: 301, zips: true })
    const lookup = 'lookup/corp.example/m6@v1.0.0'
    cpSync(join(next.db, lookup), join(db, lookup))
    return [lookup]
  },
  'a head was shown before its tiles': ({ db }) => {
    rmSync(join(db, 'tile/8/0/001.p/44'))
    rmSync(join(db, 'tile/8/data/001.p/44'))
    return ['tile/8/0/001.p/44', 'tile/8/data/001.p/44']
  },
  'partial tiles are removed before their full tile is there': ({ db }) => {
    rmSync(join(db, 'tile/8/0/001.p'), { recursive: true })
    return widths(1, 44)
  },
  'one width is missing': ({ db }) => {
    rmSync(join(db, 'tile/8/0/001.p/17'))
    return ['tile/8/0/001.p/17']
  },
  'one width of the level above is missing': ({ db }) => {
    rmSync(join(db, 'tile/8/1/000.p/1'))
    return ['tile/8/1/000.p/1']
  },
  'a full tile is missing': ({ db }) => {
    rmSync(join(db, 'tile/8/0/000'))
    return ['tile/8/0/000']
  },
  'a version is recorded twice': ({ out, state }) => {
    rmSync(out, { recursive: true })
    generate({ out, state, size: 300, zips: true, twice: true })
    return ['tile/8/data/001.p/45']
  },
  'a byte of a full tile is another': ({ db }) => {
    flip(join(db, 'tile/8/0/000'), 4000)
    return ['tile/8/0/000']
  },
  'a byte of a partial tile is another, which old heads alone need': ({ db }) => {
    flip(join(db, 'tile/8/0/001.p/9'), 40)
    return ['tile/8/0/001.p/9']
  },
  'a tile is cut off': ({ db }) => {
    writeFileSync(join(db, 'tile/8/0/000'), readFileSync(join(db, 'tile/8/0/000')).subarray(0, 8000))
    return ['tile/8/0/000']
  },
  'a byte of a data tile is another': ({ db }) => {
    edit(join(db, 'tile/8/data/000'), (text) => text.replace('m0 v1.1.0 h1:', 'm0 v1.1.1 h1:'))
    return ['tile/8/data/000']
  },
  'a data tile is no text of records': ({ db }) => {
    flip(join(db, 'tile/8/data/000'), readFileSync(join(db, 'tile/8/data/000')).indexOf('\n\n'))
    return ['tile/8/data/000']
  },
  'a byte in the text of a lookup is another': ({ db }) => {
    edit(join(db, FIRST), (text) => text.replace('/go.mod h1:', '/go.mod h1:A').replace(/=\n\n/, '\n\n'))
    return [FIRST]
  },
  'a lookup has the id of another record': ({ db }) => {
    edit(join(db, FIRST), (text) => text.replace(/^0\n/, '1\n'))
    return [FIRST]
  },
  'a lookup is that of another record': ({ db }) => {
    cpSync(join(db, 'lookup/corp.example/m1@v1.0.0'), join(db, FIRST))
    return [FIRST]
  },
  'a lookup has a head of the same size and another root': ({ db, secret }) => {
    edit(join(db, FIRST), (text) => withHead(text, signAnyHead(secret, 200, OTHER_ROOT)))
    return [FIRST]
  },
  'a lookup has a head of another key': ({ db, folder }) => {
    const other = generate({ out: join(folder, 'other'), state: join(folder, 'k'), size: 1, seed: 'other' })
    edit(join(db, FIRST), (text) => withHead(text, signAnyHead(other.secret, 1, other.root)))
    return [FIRST]
  },
  'latest has another root': ({ db, secret }) => {
    writeFileSync(join(db, 'latest'), signAnyHead(secret, 300, OTHER_ROOT))
    return ['latest']
  },
  'latest is older than what was remembered': ({ folder, memory }) => {
    const next = generate({ out: join(folder, 'next'), state: join(folder, 'after'), size: 301, zips: true })
    cpSync(join(next.db, 'latest'), memory)
    return ['latest']
  },
  'a root was remembered that the log does not have': ({ secret, memory }) => {
    writeFileSync(memory, signAnyHead(secret, 200, OTHER_ROOT))
    return ['latest']
  },
  'a size was signed twice': ({ state, secret }) => {
    const head = signAnyHead(secret, 300, OTHER_ROOT)
    const signature = Buffer.from(head.trim().split(' ').at(-1) ?? '', 'base64').subarray(4)
    edit(join(state, 'heads'), (text) => {
      const [size, bytes] = text.trimEnd().split('\n').at(-1)?.split(' ') ?? []
      return `${text}${size} ${bytes} ${OTHER_ROOT} ${signature.toString('base64')}\n`
    })
    return ['heads:301', 'heads:301']
  },
  'records are not those of the tree': ({ state }) => {
    edit(join(state, 'records'), (text) => text.slice(0, -10))
    return ['records']
  },
  'a lookup is missing': ({ db }) => {
    rmSync(join(db, FIRST))
    return [FIRST]
  },
  'a lookup has no record': ({ db }) => {
    cpSync(join(db, FIRST), join(db, 'lookup/corp.example/m0@v9.0.0'))
    return ['lookup/corp.example/m0@v9.0.0']
  },
  'a version has no record': ({ out }) => {
    const folder = join(out, 'corp.example/m0/@v')
    for (const kind of ['zip', 'mod', 'info'])
      cpSync(join(folder, `v1.0.0.${kind}`), join(folder, `v1.0.99.${kind}`))
    return ['lookup/corp.example/m0@v1.0.99']
  },
  'a zip has other content': ({ out }) => {
    cpSync(join(out, 'corp.example/m0/@v/v1.1.0.zip'), join(out, 'corp.example/m0/@v/v1.0.0.zip'))
    return ['corp.example/m0/@v/v1.0.0.zip']
  },
  'a .mod has other bytes': ({ out }) => {
    edit(join(out, 'github.com/!azure/!m0/@v/v1.3.0.mod'), (text) => `${text}\n`)
    return ['github.com/!azure/!m0/@v/v1.3.0.mod']
  },
  'supported is missing': ({ db }) => {
    rmSync(join(db, 'supported'))
    return ['supported']
  },
}

t.test('each wrong file is named, and no other', { ...needs('go'), timeout: 300_000 }, async (t) => {
  for (const [title, mutate] of Object.entries(MUTANTS)) {
    const made = good(title.replaceAll(/\W/g, '-'))
    const { key, db, state, memory, out: tree } = made
    const expected = mutate(made)
    const { ok, problems } = await audit({ key, db, state, memory, tree, clients: 10 })
    t.notOk(ok, title)
    t.strictSame(problems.map((problem) => problem.split(': ', 1)[0]).sort(), expected.sort(), title)
    rmSync(made.folder, { recursive: true })
  }
})

t.test('a log that goes on is remembered', needs('go'), async (t) => {
  const folder = memoryFolder()
  const memory = join(folder, 'memory')
  for (const size of [5, 5, 256, 300]) {
    const { key, db, state } = generate({ out: join(folder, `go${size}`), size, state: join(folder, 's') })
    const found = await audit({ key, db, state, memory, clients: 10 })
    t.strictSame(found.problems, [])
    t.match(readFileSync(memory, 'utf8'), `\n${size}\n`)
  }
})

t.test('over http, and while the database grows', needs('go'), async (t) => {
  const folder = memoryFolder()
  const { key, secret, db } = generate({ out: join(folder, 'go'), size: 400, batch: 3 })
  const old = generate({ out: join(folder, 'old'), state: join(folder, 's'), size: 300, batch: 3 })
  const replaced = new Map<string, string>()
  const server = await startScriptedServer()
  t.teardown(() => server.stop())
  let latestAsked = 0
  server.handle = (req, res) => {
    const path = decodeURIComponent(req.url ?? '')
    const isFirst = path === '/tile/8/data/001.p/44' || (path === '/latest' && latestAsked++ === 0)
    try {
      res.end(replaced.get(path) ?? readFileSync(join(isFirst ? old.db : db, path)))
    } catch {
      res.writeHead(404).end()
    }
  }
  const url = { key, db: server.url, clients: 10 }
  const moved = await audit({ ...url, moving: true })
  t.strictSame(moved.problems, [])
  t.equal(moved.size, 300)
  const still = await audit(url)
  t.strictSame(still.problems, [])
  t.equal(still.size, 400)

  latestAsked = 0
  replaced.set(
    `/${FIRST}`,
    withHead(readFileSync(join(db, FIRST), 'utf8'), signAnyHead(secret, 390, OTHER_ROOT)),
  )
  const forked = await audit({ ...url, moving: true })
  t.strictSame(
    forked.problems.map((problem) => problem.split(': ', 1)[0]),
    [FIRST],
    'a head that is newer than the first latest is proved by the last one',
  )
  t.rejects(audit({ key: 'x', db }), /-key/)
})
