// A module cache that somebody changes while it is imported: a file becomes a pipe, which nobody ever writes to, or a
// link. The service imports, and a thread that waits for the other end of a pipe is lost to it.

import { execFileSync } from 'node:child_process'
import { mkdirSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { readConfig } from '../../src/config.js'
import { importVersions, type ImportOutcome } from '../../src/import/import.js'
import { Parts } from '../../src/service/parts.js'
import { Store } from '../../src/store/store.js'
import { openParts, withMethods } from '../support/parts.js'
import { memoryFolder } from '../support/temp-folder.js'
import { simpleModule } from '../support/zips.js'

const EXTENSIONS = ['zip', 'mod', 'info', 'ziphash']

/** Imports one version. One of its files is exchanged when it has been found. */
async function importExchanged(
  extension: string,
  exchange: (path: string) => void,
  { dry = false, published = false },
): Promise<ImportOutcome[]> {
  const data = memoryFolder()
  const { publishModule } = await openParts(data)
  if (published) await publishModule('example.com/m', 'v1.0.0')
  const folder = realpathSync(memoryFolder())
  const base = join(folder, 'example.com/m/@v/v1.0.0')
  mkdirSync(join(base, '..'), { recursive: true })
  for (const one of EXTENSIONS) writeFileSync(`${base}.${one}`, '{"Version":"v1.0.0"}')
  writeFileSync(`${base}.zip`, await simpleModule('example.com/m', 'v1.0.0'))
  const store = new Store(data)
  const watched = withMethods(store, {
    exists: (path: string) => {
      if (path.endsWith('.zip')) {
        rmSync(`${base}.${extension}`)
        exchange(`${base}.${extension}`)
      }
      return store.exists(path)
    },
  })
  const parts = new Parts(readConfig({ PLINTH_DATA: data }), () => {}, { store: watched })
  const outcomes: ImportOutcome[] = []
  const request = { folder, owner: 'admin', dry }
  for await (const event of importVersions(parts, request, new AbortController().signal))
    if ('outcome' in event) outcomes.push(event.outcome)
  await parts.zips.close()
  return outcomes
}

const exchanges: [what: string, exchange: (path: string) => void][] = [
  ['a pipe', (path) => execFileSync('mkfifo', [path])],
  ['a link', (path) => symlinkSync('/etc/hostname', path)],
]

for (const [what, exchange] of exchanges)
  t.test(`a file of a cache that becomes ${what} is refused`, async (t) => {
    for (const extension of EXTENSIONS) {
      const outcomes = await importExchanged(extension, exchange, {})
      t.match(outcomes, [{ result: 'refused', reason: /it is not a regular file/ }], extension)
    }
    for (const how of [{ dry: true }, { published: true }]) {
      const outcomes = await importExchanged('zip', exchange, how)
      t.match(outcomes, [{ result: 'refused', reason: /it is not a regular file/ }], JSON.stringify(how))
    }
  })
