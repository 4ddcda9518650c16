import { mkdirSync, renameSync, utimesSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import t from 'tap'
import { linesOf } from '../../src/logs/lines.js'
import { olderFiles, olderFirst } from '../../src/logs/rotated.js'
import { tempFolder } from '../support/temp-folder.js'

async function lines(...chunks: string[]): Promise<(string | undefined)[]> {
  async function* bytes(): AsyncGenerator<Buffer> {
    for (const chunk of chunks) yield Buffer.from(chunk, 'latin1')
  }
  const found: (string | undefined)[] = []
  for await (const line of linesOf(bytes())) found.push(line)
  return found
}

t.test('lines are whole, wherever the bytes are cut', async (t) => {
  const table: [chunks: string[], lines: (string | undefined)[]][] = [
    [[], []],
    [['a'], ['a']],
    [['a\n'], ['a']],
    [['a\nb'], ['a', 'b']],
    [
      ['a', 'b\n', '\n', 'c', 'd', '\ne\n'],
      ['ab', '', 'cd', 'e'],
    ],
    [['\xe2', '\x82\xac\n'], ['€']],
    [
      ['x'.repeat(65_536), '\ny\n'],
      ['x'.repeat(65_536), 'y'],
    ],
    [
      ['x'.repeat(65_537), '\ny\n'],
      [undefined, 'y'],
    ],
    [
      ['x'.repeat(60_000), 'x'.repeat(60_000), 'x'.repeat(60_000), '\ny'],
      [undefined, 'y'],
    ],
    [['x'.repeat(65_537)], [undefined]],
  ]
  for (const [chunks, expected] of table)
    t.same(await lines(...chunks), expected, chunks.join('|').slice(0, 40))
})

t.test('a line without an end takes no memory', async (t) => {
  const chunk = Buffer.alloc(1_000_000, 'x')
  async function* endless(): AsyncGenerator<Buffer> {
    for (let nth = 0; nth < 2000; nth++) yield chunk
  }
  const before = process.memoryUsage().arrayBuffers
  for await (const line of linesOf(endless())) t.equal(line, undefined)
  t.ok(process.memoryUsage().arrayBuffers - before < 100e6, 'of 2 GB')
})

t.test('the older files of a log, the oldest first', async (t) => {
  const names = [
    'a.log',
    'a.log.1',
    'a.log.10.gz',
    'a.log.2.gz',
    'a.log.2',
    'a.log-20260102.gz',
    'a.log-20260101',
  ]
  const others = ['a.log.old', 'a.log.1.bz2', 'b.log.1', 'xa.log.1', 'a.log.1.gz.tmp', 'a.log-x', 'a.log.-1']
  const expected = ['a.log-20260101', 'a.log-20260102.gz', 'a.log.10.gz', 'a.log.2', 'a.log.1']
  t.same(olderFirst('a.log', [...names, ...others]), expected)

  const path = join(tempFolder(), 'a.log')
  t.same(await olderFiles(path), [])
  for (const [nth, ending] of ['', '.1', '.2.gz'].entries()) {
    writeFileSync(`${path}${ending}`, 'x')
    utimesSync(`${path}${ending}`, 1000 - nth, 1000 - nth)
  }
  const found = async (since?: number): Promise<string[]> =>
    (await olderFiles(path, since)).map((file) => basename(file))
  t.same(await found(), ['a.log.2.gz', 'a.log.1'])
  t.same(await found(999_000), ['a.log.1'], 'what was written last before the time is not looked at')
  t.same(await found(1_000_001), [])
  renameSync(path, `${path}.3`)
  mkdirSync(path)
  t.same(await found(), ['a.log.3', 'a.log.2.gz', 'a.log.1'])
})
