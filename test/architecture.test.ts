// The layers of the source, kept by a test: imports go one way, and what few files may touch, only they touch.

import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'

const SRC = fileURLToPath(new URL('../../src/', import.meta.url))
const files = readdirSync(SRC, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'))
const sourceOf = (file: string): string => readFileSync(join(SRC, file), 'utf8')
const importsOf = (file: string): string[] =>
  [...sourceOf(file).matchAll(/from '([^']+)'/g)].map((match) => match[1] ?? '')
const usersOf = (pattern: RegExp): string[] => files.filter((file) => pattern.test(sourceOf(file))).sort()

/** Rules: text in, text out. No disk, no network, no clock, no environment. */
const PURE = [
  'layout.ts',
  'quote.ts',
  'account.ts',
  'nginx-parts.ts',
  'commands/duration.ts',
  'operation.ts',
  'credentials.ts',
  'checksum.ts',
  'go/semver.ts',
  'go/ordered-versions.ts',
  'go/module-path.ts',
  'go/fold.ts',
  'go/check-zip.ts',
  'go/problems.ts',
  'go/dirhash.ts',
  'go/artifacts.ts',
  'go/modfile.ts',
  'go/module-files.ts',
  'go/zip-directory.ts',
  'generic/names.ts',
  'inbox/place.ts',
  'client/netrc.ts',
  'client/server.ts',
]

t.test('rules are pure', async (t) => {
  for (const file of PURE) {
    const outside = importsOf(file).filter((name) => !name.startsWith('.') && name !== 'node:crypto')
    t.same(outside, [], `${file} imports nothing but rules`)
    t.notMatch(
      sourceOf(file),
      /process\.|Date\.now|new Date\(\)/,
      `${file} reads no clock and no environment`,
    )
  }
})

t.test('what one file does, no other does', async (t) => {
  t.same(usersOf(/from 'unzipper'/), ['go/zip.ts'])
  t.same(usersOf(/from 'yazl'/), ['pack/write-zip.ts'])
  t.same(usersOf(/from 'koa-body'/), ['form.ts'])
  t.same(usersOf(/from 'chokidar'/), ['inbox/inbox.ts'])
  t.same(usersOf(/from '@koa\/router'/), ['app.ts'])
  t.same(usersOf(/import \{[^}]*\b(?:rename|link)\b[^}]*\} from 'node:fs\/promises'/), [
    'commands/pack.ts', // gives the zip that is made its name; it knows no tree
    'dropped.ts',
    'store.ts',
  ])
  t.same(usersOf(/import \{[^}]*\brmdir\b[^}]*\} from 'node:fs\/promises'/), [
    'dropped.ts',
    'folders.ts',
    'temps.ts',
  ])
  const environment = usersOf(/process\.env/)
  t.same(
    environment,
    ['client/settings.ts', 'config.ts', 'nginx.ts', 'pack/git.ts', 'start.ts'],
    'three of them only hand it on to a child',
  )
})

t.test('what runs on machines without a Plinth needs none', async (t) => {
  const anywhere = ['commands/pack.ts', 'commands/publish.ts']
  const reached = new Set<string>()
  const visit = (file: string): void => {
    if (reached.has(file)) return
    reached.add(file)
    for (const name of importsOf(file).filter((found) => found.startsWith('.')))
      visit(join(file, '..', name).replace(/\.js$/, '.ts'))
  }
  anywhere.forEach(visit)
  for (const file of ['config.ts', 'store.ts', 'lock.ts', 'layout.ts'])
    t.notOk(reached.has(file), `${file} is not reached from ${anywhere.join(', ')}`)
})

t.test('there is no cycle among the files', async (t) => {
  const visit = (file: string, path: string[]): string[] | undefined => {
    if (path.includes(file)) return [...path, file]
    for (const name of importsOf(file).filter((found) => found.startsWith('.'))) {
      const next = join(file, '..', name).replace(/\.js$/, '.ts')
      const cycle = visit(next, [...path, file])
      if (cycle) return cycle
    }
    return undefined
  }
  // an import of types alone is no dependency at run time, but it is one for the reader
  for (const file of files) t.equal(visit(file, [])?.join(' → '), undefined, file)
})
