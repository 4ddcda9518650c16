// The tiles and roots of a growing log, against digests of what golang.org/x/mod/sumdb/tlog computes: TreeHash, and
// ReadTileData of each tile of NewTiles(8, n - 1, n), as lines `{path} {hex}`.

import { createHash } from 'node:crypto'
import t from 'tap'
import { Edge, partialTiles } from '../../src/sumdb/edge.js'
import { Growth } from '../../src/sumdb/growth.js'
import { leafHash } from '../../src/sumdb/hashes.js'
import { DATA, partialPath, tilePath } from '../../src/sumdb/paths.js'

/** Digests of the roots and of the tiles at the sizes from `first` to `last`. */
const BY_GO = [
  {
    first: 1,
    last: 600,
    roots: 'd22be34915241880c5bea03882be51d3366e4aacfab845c3476866fbad610fb8',
    tiles: 'd886650ac43e81f7699a57d2b183a7ffdcae0aa9dae5cc25e3544247d8af34d2',
  },
  {
    first: 65_535,
    last: 65_538,
    roots: '986146c216a30b7d7f387cbd1dc757948bdf74830b8658905d65bde5ebef363f',
    tiles: 'ed73c10ac29c7930925fdf2ab6a4e5460441248f9ce5a5090d5b7d5e11670405',
  },
]
const nth = (n: number): string => `record ${n}\n`
const isData = (path: string): boolean => path.startsWith('tile/8/data/')

t.test("roots and tiles are go's at every size, when records come one by one", async (t) => {
  let growth = new Growth()
  for (const { first, last, ...wanted } of BY_GO) {
    while (growth.size < first - 1) growth.append(nth(growth.size))
    const [roots, tiles] = [createHash('sha256'), createHash('sha256')]
    while (growth.size < last) {
      const before = growth
      growth = growth.clone() // what is committed stays what it was
      const files = [...growth.append(nth(before.size)), ...growth.partials(before.size)]
      roots.update(growth.root())
      for (const { path, content } of files.filter((file) => !isData(file.path)))
        tiles.update(`${path} ${content.toString('hex')}\n`)
    }
    t.equal(roots.digest('hex'), wanted.roots, `roots of ${first} to ${last}`)
    t.equal(tiles.digest('hex'), wanted.tiles, `tiles of ${first} to ${last}`)
  }
})

t.test('an edge goes on from its tiles', async (t) => {
  const whole = new Edge()
  for (let size = 1; size <= 66_000; size++) {
    whole.append(leafHash(nth(size - 1)))
    if (size > 3 && Math.abs(size - 256) > 2 && Math.abs(size - 65_536) > 2 && size % 9973 > 0) continue
    const again = Edge.of(size, whole.tiles())
    t.same(again.tiles(), whole.tiles(), String(size))
    t.same(
      whole.tiles().map(({ level, index, width }) => ({ level, index, width })),
      partialTiles(size),
    )
    t.same(again.root(), whole.root())
    const more = whole.clone()
    t.same(again.append(leafHash('x\n')), more.append(leafHash('x\n')), 'the same tiles are full')
    t.same(again.root(), more.root())
    t.equal(whole.size, size, 'a clone is another one')
  }
  t.throws(() => new Edge().root(), RangeError)
})

t.test('data tiles have the records', async (t) => {
  const growth = new Growth()
  t.equal(growth.partialData(), undefined)
  const full = Array.from({ length: 512 }, (_, n) => growth.append(nth(n))).flat()
  const data = full.filter(({ path }) => isData(path))
  t.same(
    data.map(({ path }) => path),
    ['tile/8/data/000', 'tile/8/data/001'],
  )
  t.equal(
    Buffer.concat(data.map(({ content }) => content)).toString(),
    Array.from({ length: 512 }, (_, n) => `${nth(n)}\n`).join(''),
  )
  t.equal(growth.partialData(), undefined)
  growth.append(nth(512))
  t.same(growth.partialData(), { path: 'tile/8/data/002.p/1', content: Buffer.from(`${nth(512)}\n`) })
})

t.test('paths of tiles', async (t) => {
  t.equal(tilePath(1, 1_234_067), 'tile/8/1/x001/x234/067')
  t.equal(tilePath(0, 999), 'tile/8/0/999')
  t.equal(tilePath(0, 1000), 'tile/8/0/x001/000')
  t.equal(partialPath(DATA, 999, 3), 'tile/8/data/999.p/3')
})
