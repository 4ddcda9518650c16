// The command as an npm package: packed, hosted on a Plinth, installed from there into an empty folder.

import { execFile, execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { block, MANUAL } from '../support/documents.js'
import { TOKEN } from '../support/http.js'
import { startPlinth } from '../support/plinth.js'
import { startNpmRegistry } from '../support/npm-registry.js'
import { needs } from '../support/programs.js'
import { tempFolder } from '../support/temp-folder.js'
import { simpleModule } from '../support/zips.js'

const ROOT = fileURLToPath(new URL('../../..', import.meta.url))
const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { version: string }
const NAME = `plinth-${version}.tgz`

/** Seconds after which a program that hangs is ended. What npm installs here takes ten. */
const LIMIT = 300

type Ended = { status: number | string | undefined; stdout: string; stderr: string }

/** Runs a program while the registry of this process answers it. `status`: the exit code, or what kept it from one. */
const run = (program: string, words: string[], cwd: string, env: Record<string, string>): Promise<Ended> =>
  new Promise((resolve) =>
    execFile(program, words, { cwd, env, timeout: LIMIT * 1000 }, (error, stdout, stderr) =>
      resolve({ status: error ? (error.code ?? error.signal) : 0, stdout, stderr }),
    ),
  )

/** A module with a tag. */
function makeRepository(folder: string): void {
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'go.mod'), 'module example.com/m\n\ngo 1.19\n')
  writeFileSync(join(folder, 'm.go'), 'package m\n')
  const git = (...words: string[]): void =>
    void execFileSync('git', ['-c', 'user.name=x', '-c', 'user.email=x@example.com', ...words], {
      cwd: folder,
    })
  git('init', '-q')
  git('add', '.')
  git('commit', '-qm', 'x')
  git('tag', 'v1.0.0')
}

t.test('the command without a clone', needs('nginx', 'npm', 'git', 'curl', 'tar'), async (t) => {
  const plinth = await startPlinth()
  t.teardown(() => plinth.stop())
  const registry = await startNpmRegistry()
  t.teardown(() => registry.stop())
  const folder = tempFolder('plinth-npm')
  // without the scripts: what the tests run is built, and must not be built again now
  const packed = execFileSync('npm', ['pack', '--ignore-scripts', '--json', '--pack-destination', folder], {
    cwd: ROOT,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const [{ files }] = JSON.parse(packed) as [{ files: { path: string; mode: number }[] }]
  const names = files.map(({ path }) => path)
  t.ok(names.includes('build/src/cli.js'))
  t.ok(names.includes('LICENSE'))
  t.same(
    names.filter((name) => !/^(?:build\/src\/.*\.js|LICENSE|README\.md|package\.json)$/.test(name)),
    [],
    'neither sources nor tests',
  )

  const repo = join(folder, 'src/m')
  makeRepository(repo)
  const lines = block(MANUAL, 'The command without a clone')
  t.match(lines, `/plinth/${version}/${NAME}"`, 'the manual has the version that is packed')
  const env = {
    PATH: `${folder}/bin:${process.env['PATH'] ?? ''}`,
    HOME: folder,
    PLINTH_URL: plinth.url,
    PLINTH_TOKEN: TOKEN,
    npm_config_prefix: folder,
    npm_config_cache: join(folder, 'cache'),
    npm_config_registry: registry.url,
    npm_config_audit: 'false',
    npm_config_fund: 'false',
    npm_config_loglevel: 'error',
  }
  const installed = await run('sh', ['-euc', lines.replaceAll('~', '$HOME')], folder, {
    ...env,
    PLINTH: plinth.url,
    TOKEN,
    PLINTH_OWNER: 'admin',
  })
  t.equal(installed.status, 0, installed.stderr)
  t.match(installed.stdout, 'published example.com/m v1.0.0')
  const empty = tempFolder('plinth-empty')
  const command = (...words: string[]): Promise<Ended> =>
    run(join(folder, 'bin/plinth'), words, empty, { ...env, PLINTH_OWNER: 'team' })
  t.equal((await command('--version')).stdout, `${version}\n`)
  t.match((await command('--help')).stdout, 'usage: plinth COMMAND')
  t.match((await command('publish')).stderr, 'plinth: publish takes')

  writeFileSync(join(empty, 'm.zip'), await simpleModule('example.com/m', 'v1.0.0'))
  const published = await command('publish', 'm.zip')
  t.equal(published.status, 0, published.stderr)
  t.match(published.stdout, 'published example.com/m v1.0.0')
  t.match((await command('publish', 'm.zip')).stdout, 'already published, identical: example.com/m v1.0.0')
  const words = ['exec', '--yes', `--package=${join(folder, NAME)}`, '--', 'plinth', '--version']
  const once = await run('npm', words, empty, env)
  t.equal(once.stdout, `${version}\n`, once.stderr)
  t.notOk(existsSync(join(empty, 'data')), 'a client command makes no data folder')
  t.notOk(
    existsSync(join(folder, 'lib/node_modules/plinth/node_modules/typescript')),
    'no tools of development',
  )
})
