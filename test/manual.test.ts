// Every block and every table of the manual is asked for by a test, which runs it or holds its rows against the code: a
// new one without a test is red. What the tests do with them is theirs to say; that they ask is read from their sources.

import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { blocksOf, MANUAL, read, ROOT, tablesOf } from './support/documents.js'

/** Blocks that no test can run, each with the reason. */
const NOT_RUN: Record<string, string> = {
  'block "In a container" 0 sh':
    'podman: no registry has the image it begins with. container.test.ts builds the same file with buildah, and runs ' +
    'the image with the same restrictions in systemd-nspawn',
}

/** A block or table by its name: `block "TLS" 0 sh`. */
const nameOf = (kind: string, section: string, nth: number, language?: string): string =>
  `${kind} "${section}" ${nth}${language === undefined ? '' : ` ${language || 'text'}`}`

const THERE = [
  ...blocksOf(MANUAL).map(({ section, nth, language }) => nameOf('block', section, nth, language)),
  ...tablesOf(MANUAL).map(({ section, nth }) => nameOf('table', section, nth)),
]

const ASKED =
  /\b(block|table)\(\s*MANUAL,\s*(?:'([^']+)'|"([^"]+)")(?:,\s*(\d+))?(?:,\s*'(\w*)')?,?\s*\)(?=([^]{0,40}))/g
/** What would use a part of a block: the rest of it would be run by nobody. */
const TAKEN_APART = /^(?:\s*\.trim\w*\(\))?\s*\.(?:at|indexOf|match\w*|search|slice|split|substring)\(/
/** What would look at a block and not run it. */
const LOOKED_AT = /\bt\.\w+\(\s*$/

/** Where each block and table is asked for: its name, and the file. */
const CLAIMS = readdirSync(join(ROOT, 'test'), { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.ts') && !['manual.test.ts', 'support/documents.ts'].includes(file))
  .flatMap((file) => {
    const source = read(join('test', file))
    const calls = [...source.matchAll(ASKED)].map(
      ({ index, 1: kind = '', 2: single, 3: double, 4: nth, 5: language, 6: behind = '' }) => ({
        file,
        name: nameOf(
          kind,
          single ?? double ?? '',
          Number(nth ?? 0),
          kind === 'block' ? (language ?? 'sh') : undefined,
        ),
        isWhole: !TAKEN_APART.test(behind) && (kind === 'table' || !LOOKED_AT.test(source.slice(0, index))),
      }),
    )
    const all = source.match(/\b(?:block|table)\(\s*MANUAL\b/g)?.length ?? 0
    return all === calls.length
      ? calls
      : [...calls, { file, name: `${file} asks for what is not written out`, isWhole: true }]
  })

t.test('every block and table of the manual is asked for by a test, whole', async (t) => {
  const claimed = new Set(CLAIMS.filter(({ isWhole }) => isWhole).map(({ name }) => name))
  t.same(
    THERE.filter((name) => !claimed.has(name) && !(name in NOT_RUN)),
    [],
  )
  for (const name of Object.keys(NOT_RUN)) t.notOk(claimed.has(name), `${name} is run, so it can be`)
})

t.test('no test asks for what is not there', async (t) => {
  const known = new Set(THERE)
  t.same(
    CLAIMS.filter(({ name }) => !known.has(name)),
    [],
  )
  for (const name of Object.keys(NOT_RUN)) t.ok(known.has(name), name)
})

t.test('each of them has a name of its own, and all of them are found', async (t) => {
  t.equal(new Set(THERE).size, THERE.length)
  t.equal(blocksOf(MANUAL).length * 2, MANUAL.match(/^ *```/gm)?.length, 'each fence begins or ends one')
  const rows = tablesOf(MANUAL).reduce((sum, table) => sum + table.rows.length + 2, 0)
  t.equal(rows, MANUAL.match(/^ *\|.*$/gm)?.length, 'each line of a table is in one')
})
