// The rooms of the source, kept by a test: imports go one way, and what few files may touch, only they touch.

import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'

const SRC = fileURLToPath(new URL('../../src/', import.meta.url))
const files = readdirSync(SRC, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'))
const sourceOf = (file: string): string => readFileSync(join(SRC, file), 'utf8')
const importsOf = (file: string): string[] =>
  [...sourceOf(file).matchAll(/(?:from |import\()'([^']+)'/g)].map((match) => match[1] ?? '')
/** The files of src/ that `file` imports, as paths below src/. */
const ownImportsOf = (file: string): string[] =>
  importsOf(file)
    .filter((name) => name.startsWith('.'))
    .map((name) => join(file, '..', name).replace(/\.js$/, '.ts'))
const usersOf = (pattern: RegExp): string[] => files.filter((file) => pattern.test(sourceOf(file))).sort()

/**
 * The rooms from the ground up. A file's room is its first folder, or the file itself at the root of src/. An import
 * goes to the same room or to an earlier line.
 */
const ROOMS: readonly (readonly string[])[] = [
  ['errors.ts'],
  ['log.ts', 'digest.ts', 'shares', 'addresses'],
  ['gomod'],
  ['settings'],
  ['layout.ts', 'config.ts'],
  ['views'],
  ['modzip', 'store', 'audit'],
  ['access', 'nginx', 'pack', 'sumdb', 'cluster', 'filesystem'],
  ['packages', 'client', 'collect'],
  ['go', 'generic'],
  ['http', 'inbox', 'import', 'inspection', 'logs', 'backup', 'mirror'],
  ['metrics'],
  ['service'],
  ['commands'],
  ['cli.ts', 'main.ts', 'start.ts'],
]

const roomOf = (file: string): string => file.split('/', 1)[0] ?? ''
const lineOf = (room: string): number => ROOMS.findIndex((line) => line.includes(room))

t.test('every file is in a room of the list', async (t) => {
  for (const file of files) t.not(lineOf(roomOf(file)), -1, file)
})

t.test('imports go to the same room or to an earlier line', async (t) => {
  const wrong: string[] = []
  for (const file of files)
    for (const imported of ownImportsOf(file)) {
      const [from, to] = [roomOf(file), roomOf(imported)]
      if (from !== to && lineOf(to) >= lineOf(from)) wrong.push(`${file} → ${imported}`)
    }
  t.same(wrong, [])
})

t.test('the root of src/ has few files, and a line fits on a screen', async (t) => {
  const atRoot = files.filter((file) => !file.includes('/'))
  t.ok(atRoot.length <= 8, `${atRoot.length} files at the root`)
  for (const file of files.filter((name) => name !== 'gomod/unicode-tables.ts')) {
    const long = sourceOf(file)
      .split('\n')
      .findIndex((line) => line.length > 120) // oxlint counts lines
    t.equal(long, -1, `${file}: line ${long + 1} has at most 120 characters`)
  }
})

t.test('every export is imported by another file', async (t) => {
  const root = join(SRC, '..')
  const importers = ['src', 'test', 'scripts'].flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.ts'))
      .map((file) => join(folder, file)),
  )
  const imported = new Set<string>()
  for (const importer of importers) {
    const source = readFileSync(join(root, importer), 'utf8')
    for (const [, from = '', name = ''] of source.matchAll(/\(await import\('(\.[^']+)'\)\)\.(\w+)/g))
      imported.add(`${join(importer, '..', from)} ${name}`)
    for (const [, names = '', from = ''] of source.matchAll(/import (?:type )?\{([^}]*)\} from '(\.[^']+)'/g))
      for (const name of names.split(','))
        imported.add(
          `${join(importer, '..', from)} ${
            name
              .trim()
              .replace(/^type /, '')
              .split(' as ')[0]
          }`,
        )
  }
  const EXPORT = /^export (?:async )?(?:function\*?|const|class|type) (\w+)/gm
  for (const file of files)
    for (const [, name = ''] of sourceOf(file).matchAll(EXPORT))
      t.ok(imported.has(`${join('src', file).replace(/ts$/, 'js')} ${name}`), `${name} of ${file}`)
})

t.test('no two exported types have the same name', async (t) => {
  const where = new Map<string, string>()
  for (const file of files)
    for (const [, name = ''] of sourceOf(file).matchAll(/^export (?:type|interface|class) (\w+)/gm)) {
      t.equal(where.get(name), undefined, `${name} of ${file}`)
      where.set(name, file)
    }
})

/** Rules: text in, text out. No disk, no network, no clock, no environment. */
const PURE = [
  ...files.filter((file) => file.startsWith('gomod/') && file !== 'gomod/unicode-tables.ts'),
  ...files.filter((file) => file.startsWith('views/') && file !== 'views/markdown.ts'),
  'layout.ts',
  'settings/runtime-files.ts',
  'addresses/path-in-conf.ts',
  'addresses/local-address.ts',
  'shares/share.ts',
  'access/rights.ts',
  'nginx/client-part.ts',
  'nginx/conf-parts.ts',
  'nginx/go-import.ts',
  'commands/duration.ts',
  'commands/similar.ts',
  'packages/operation.ts',
  'packages/refresh-pace.ts',
  'logs/entry.ts',
  'http/credentials.ts',
  'http/stated-sha256.ts',
  'http/api-paging.ts',
  'http/api-answers.ts',
  'go/ordered-versions.ts',
  'go/artifacts.ts',
  'modzip/zip-directory.ts',
  'modzip/package-list.ts',
  'views/facts.ts',
  'views/licence-table.ts',
  'views/licence-text.ts',
  'views/licences.ts',
  'views/module-facts.ts',
  'views/readme.ts',
  'generic/names.ts',
  'inbox/place.ts',
  'inbox/settling.ts',
  'import/info.ts',
  'backup/package-files.ts',
  'inspection/sample.ts',
  'mirror/object-kind.ts',
  'sumdb/note.ts',
  'sumdb/hashes.ts',
  'sumdb/edge.ts',
  'sumdb/growth.ts',
  'sumdb/record.ts',
  'sumdb/paths.ts',
  'sumdb/proof.ts',
  'sumdb/database-client.ts',
  'store/parse-json.ts',
  'store/fits.ts',
  'packages/tombstone.ts',
  'client/netrc.ts',
  'client/server.ts',
  'cluster/answers.ts',
  'cluster/end-to-end.ts',
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
  t.same(usersOf(/from 'unzipper'/), ['modzip/open-zip.ts'])
  t.same(usersOf(/from 'yazl'/), ['pack/write-zip.ts'])
  t.same(usersOf(/from 'koa-body'/), ['http/form-body.ts'])
  t.same(usersOf(/from 'chokidar'/), ['inbox/watcher.ts'])
  t.same(usersOf(/from 'markdown-it'/), ['views/markdown.ts'])
  for (const file of usersOf(/['"]prom-client['"]/))
    t.equal(roomOf(file), 'metrics', `${file} uses prom-client`)
  t.same(usersOf(/from '@koa\/router'/), ['http/api.ts', 'http/app.ts'])
  for (const file of usersOf(/from 'koa'/)) t.equal(roomOf(file), 'http', `${file} uses koa`)
  t.same(usersOf(/import \{[^}]*\b(?:rename|link)\b[^}]*\} from 'node:fs\/promises'/), [
    'backup/copy-file.ts', // a backup is no data folder
    'backup/destination.ts',
    'collect/carried.ts',
    'commands/pack.ts', // gives the zip that is made its name; it knows no tree
    'mirror/work-folder.ts', // remembers what can be lost, in a folder of its own
    'store/inbox-files.ts',
    'store/renew-file.ts', // is no file of the tree
    'store/staging.ts',
    'store/store.ts',
  ])
  t.same(
    usersOf(/import \* as \w+ from 'node:fs/),
    ['filesystem/calls.ts'],
    'a probe makes its calls in a folder of its own',
  )
  t.same(usersOf(/import \{[^}]*\brmdir\b[^}]*\} from 'node:fs\/promises'/), [
    'store/folders.ts',
    'store/temps.ts',
  ])
  const codeOf = (file: string): string => sourceOf(file).replaceAll(/^\s*(?:\/\/|\/?\*).*$/gm, '')
  t.same(
    files.filter((file) => codeOf(file).includes('api/packages')).sort(),
    [
      'client/server.ts',
      'http/app.ts',
      'http/go-routes.ts',
      'layout.ts',
      'nginx/go-import.ts',
      'service/terminal.ts',
      'views/page-addresses.ts',
    ],
    'layout.ts knows the path in the tree, the others make a URL',
  )
  t.same(usersOf(/process\.env/), ['config.ts'])
  t.same(
    usersOf(/process\.std(?:out|err)\.write/),
    ['cluster/forward.ts', 'commands/print.ts', 'main.ts', 'service/run-job.ts', 'service/terminal.ts'],
    'a text is made visible where it is printed',
  )
})

t.test('what runs on machines without a Plinth needs none', async (t) => {
  const NEEDS_PLINTH = ['store', 'access', 'packages', 'service', 'layout.ts']
  const ANYWHERE: Record<string, readonly string[]> = {
    'commands/pack.ts': NEEDS_PLINTH,
    'commands/publish.ts': NEEDS_PLINTH,
    'commands/collect.ts': NEEDS_PLINTH,
    // the paths below a database are pure, and stand beside where it is in the data folder
    'commands/sumdb-check.ts': NEEDS_PLINTH.filter((room) => room !== 'layout.ts'),
  }
  for (const [command, needsPlinth] of Object.entries(ANYWHERE)) {
    const reached = new Set<string>()
    const visit = (file: string): void => {
      if (reached.has(file)) return
      reached.add(file)
      ownImportsOf(file).forEach(visit)
    }
    visit(command)
    for (const file of reached)
      t.notOk(needsPlinth.includes(roomOf(file)), `${file} is reached from ${command}`)
  }
})

t.test('what passes requests on loads no more than it needs', async (t) => {
  const reached = new Set<string>()
  const visit = (file: string): void => {
    if (reached.has(file)) return
    reached.add(file)
    ownImportsOf(file).forEach(visit)
  }
  visit('cluster/forward.ts')
  const libraries = [...reached].flatMap(importsOf).filter((name) => !/^(?:\.|node:)/.test(name))
  t.same(libraries, [], 'no library')
  t.notOk(reached.has('config.ts'), 'its settings are its arguments')
})

t.test('there is no cycle among the files', async (t) => {
  const done = new Set<string>()
  const visit = (file: string, path: string[]): string[] | undefined => {
    if (path.includes(file)) return [...path, file]
    if (done.has(file)) return undefined
    for (const next of ownImportsOf(file)) {
      const cycle = visit(next, [...path, file])
      if (cycle) return cycle
    }
    done.add(file)
    return undefined
  }
  // an import of types alone is no dependency at run time, but it is one for the reader
  for (const file of files) t.equal(visit(file, [])?.join(' → '), undefined, file)
})
