// scripts/plinth as people type it: from any folder, by any name, in a clone in any state. Nothing asks a registry.

import { execFileSync, spawnSync } from 'node:child_process'
import {
  accessSync,
  chmodSync,
  constants,
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { type CliResult } from '../support/cli.js'
import { needs, posixShells } from '../support/programs.js'
import { tempFolder } from '../support/temp-folder.js'

const ROOT = fileURLToPath(new URL('../../../', import.meta.url))
const SCRIPT = join(ROOT, 'scripts/plinth')
const OTHER_USER = 65534 // nobody

/** Programs that a registry's packages would come by: each leaves its name in the file `asked`. */
const recorders = tempFolder('plinth-recorders')
const asked = join(recorders, 'asked')
for (const name of ['npx', 'npm', 'pnpm', 'yarn'])
  writeFileSync(join(recorders, name), `#!/bin/sh\necho "${name} $*" >> '${asked}'\n`, { mode: 0o755 })
const PATH = `${recorders}:${process.env['PATH']}`

/** Stands for node, which takes longer to start: it tells the words of the command, and where it runs. */
const fakes = tempFolder('plinth-fake-node')
writeFileSync(join(fakes, 'node'), `#!/bin/sh\nshift\nprintf '<%s>' "$@"\necho " in $(pwd -P)"\n`, {
  mode: 0o755,
})

type How = { cwd?: string; env?: NodeJS.ProcessEnv; uid?: number; shell?: string[] }

function run(script: string, words: string[], { cwd = '/', env = {}, uid, shell = [] }: How = {}): CliResult {
  // without the modules that tap would load into it
  const args = ['-u', 'NODE_OPTIONS', ...shell, script, ...words]
  const { status, stdout, stderr } = spawnSync('env', args, {
    cwd,
    encoding: 'utf8',
    env: { PATH: `${fakes}:${PATH}`, HOME: '/nonexistent', ...env },
    ...(uid !== undefined && { uid, gid: uid }),
  })
  return { code: status ?? 1, stdout, stderr }
}

/** A clone of the few files that the script needs. */
function smallClone(state: 'built' | 'new', name = 'a clone'): { top: string; script: string } {
  const top = join(tempFolder('plinth-clone'), name)
  for (const folder of ['scripts', 'src', 'build/src']) mkdirSync(join(top, folder), { recursive: true })
  cpSync(SCRIPT, join(top, 'scripts/plinth'))
  writeFileSync(join(top, 'package.json'), '{"type":"module"}\n')
  // stands for scripts/setup, and tells whether it sees the token
  writeFileSync(
    join(top, 'scripts/setup'),
    `cd "$(dirname "$0")/.."; echo "setup $1 \${PLINTH_TOKEN-without a token}"; mkdir -p build/src
touch build/src/cli.js build/.built\n`,
  )
  const script = join(top, 'scripts/plinth')
  if (state === 'built') execFileSync('sh', [join(top, 'scripts/setup'), 'build'], { stdio: 'ignore' })
  return { top, script }
}

t.test('the real one, through a link and from another folder', async (t) => {
  accessSync(SCRIPT, constants.X_OK)
  const link = join(tempFolder(), 'plinth')
  symlinkSync(SCRIPT, link)
  t.match(run(link, ['no', 'such'], { env: { PATH } }), {
    code: 2,
    stdout: '',
    stderr: /no command "no"\n\nusage: scripts\/plinth /,
  })
  t.notOk(existsSync(asked), 'no registry was asked')
})

t.test('by every name', async (t) => {
  const { top, script } = smallClone('built')
  const elsewhere = tempFolder('plinth elsewhere')
  const link = join(elsewhere, 'plinth')
  symlinkSync(script, link)
  symlinkSync('plinth', join(elsewhere, 'second'))
  symlinkSync(join(top, 'scripts'), join(elsewhere, 'linked-scripts'))
  const names: [script: string, cwd: string, why: string][] = [
    [script, '/', 'an absolute path'],
    ['scripts/plinth', top, 'a relative path'],
    [relative(elsewhere, script), elsewhere, 'a relative path from elsewhere'],
    [link, '/', 'a link'],
    ['./second', elsewhere, 'a relative link to a link'],
    ['linked-scripts/plinth', elsewhere, 'through a linked folder'],
    ['./plinth', join(top, 'scripts'), 'beside it'],
  ]
  for (const [name, cwd, why] of names)
    t.same(run(name, ['x'], { cwd }), { code: 0, stdout: `<x> in ${cwd}\n`, stderr: '' }, why)
  const byPath = run('plinth', ['x'], { env: { PATH: `${elsewhere}:${fakes}:${PATH}` } })
  t.match(byPath, { code: 0, stdout: '<x> in /\n' }, 'by its name in PATH')
  const bySh = run('plinth', ['x'], { shell: ['sh'], cwd: elsewhere })
  t.match(bySh, { code: 0, stdout: '<x> in ' }, 'by a shell, without a slash')
})

t.test('every shell, a space in the path, and words as they are', async (t) => {
  const { script } = smallClone('built')
  const words = ['a b', '', '-n', '*', '$(id)', "'", 'new\nline']
  const cwd = tempFolder()
  for (const shell of posixShells()) {
    const { code, stdout, stderr } = run(script, words, { shell, cwd })
    t.same([code, stderr], [0, ''], shell.join(' '))
    t.equal(
      stdout,
      `${words.map((word) => `<${word}>`).join('')} in ${cwd}\n`,
      'in the folder where it was typed',
    )
  }
  // a folder of this name in the caller's CDPATH must not be taken
  mkdirSync(join(cwd, 'scripts/..'), { recursive: true })
  const { stdout } = run('scripts/plinth', ['x'], { cwd: join(script, '../..'), env: { CDPATH: cwd } })
  t.match(stdout, '<x> in ')
})

t.test(
  'a new clone sets itself up, with all its words on standard error and without the token',
  async (t) => {
    const { top, script } = smallClone('new')
    const ran = run(script, ['x'], { env: { PLINTH_TOKEN: 'a-secret' } })
    t.same(ran, { code: 0, stdout: '<x> in /\n', stderr: 'setup build without a token\n' })
    t.same(run(script, ['x']).stderr, '', 'once')

    writeFileSync(join(top, 'src/new.ts'), '')
    utimesSync(join(top, 'src/new.ts'), new Date(), new Date(Date.now() + 60_000))
    const { code, stdout, stderr } = run(script, ['x'])
    t.same([code, stdout], [0, '<x> in /\n'], 'a service may be running what is built')
    t.match(stderr, /^plinth: warning: src is newer than what is built .* npm run build\n$/)
    t.notOk(existsSync(asked), 'no registry was asked')
  },
)

t.test('a set-up that fails runs nothing', async (t) => {
  const { top, script } = smallClone('new')
  writeFileSync(join(top, 'scripts/setup'), 'echo no packages; exit 7\n')
  t.same(run(script, ['x']), { code: 7, stdout: '', stderr: 'no packages\n' })
})

t.test('without node it says what is missing', async (t) => {
  const bin = tempFolder()
  for (const program of ['env', 'sh', 'readlink', 'id', 'find', 'head'])
    symlinkSync(
      execFileSync('sh', ['-c', `command -v ${program}`], { encoding: 'utf8' }).trim(),
      join(bin, program),
    )
  const ran = run(SCRIPT, ['x'], { env: { PATH: bin } })
  t.same(ran, {
    code: 1,
    stdout: '',
    stderr: 'plinth: there is no node in PATH: Plinth needs Node 20.19 or newer\n',
  })
})

const asRoot = process.getuid?.() === 0 ? {} : { skip: 'NOT TESTED: only root can become another user' }

t.test('another user runs what is built, and writes nothing', asRoot, async (t) => {
  const { top, script } = smallClone('built')
  // as tsc writes it: without a run bit
  chmodSync(join(top, 'build/src/cli.js'), 0o644)
  utimesSync(join(top, 'src'), new Date(), new Date(Date.now() + 60_000))
  t.same(run(script, ['x'], { uid: OTHER_USER }), { code: 0, stdout: '<x> in /\n', stderr: '' })

  const fresh = smallClone('new')
  const refused = run(fresh.script, ['x'], { uid: OTHER_USER })
  t.match(refused, {
    code: 1,
    stdout: '',
    stderr: /^plinth: nothing is built in .*: its owner types npm run build/,
  })
  execFileSync('chown', ['-R', `${OTHER_USER}`, fresh.top])
  const byRoot = run(fresh.script, ['x'])
  t.match(byRoot, { code: 1, stderr: /its owner types npm run build/ }, 'root leaves no files of root there')
  t.same(run(fresh.script, ['x'], { uid: OTHER_USER }).code, 0, 'its owner sets it up')
})

t.test(
  'the npm package has the command itself, and git keeps the run bit of the script',
  needs('git'),
  async (t) => {
    // The npm package has what is built, and no script that could set anything up.
    const { bin } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { bin: unknown }
    t.same(bin, { plinth: 'build/src/cli.js' })
    if (!existsSync(join(ROOT, '.git'))) return t.comment('NOT TESTED: this is no clone')
    const git = [
      '-c',
      `safe.directory=${ROOT.replace(/\/$/, '')}`,
      '-C',
      ROOT,
      'ls-files',
      '-s',
      'scripts/plinth',
    ]
    t.match(execFileSync('git', git, { encoding: 'utf8' }), /^100755 /)
  },
)

// In a folder without the clone, npx asks the public registry and runs what it finds, with the token in its environment.
t.test('no document, message or test says npx', needs('git'), async (t) => {
  const OTHERS = ['package-lock.json', 'test/cli/plinth-script.test.ts']
  const found = execFileSync('git', ['grep', '--no-index', '--exclude-standard', '-nwI', 'npx'], {
    cwd: ROOT,
    encoding: 'utf8',
  })
  const lines = found
    .split('\n')
    .filter((line) => line !== '' && !OTHERS.includes(line.split(':', 1)[0] ?? ''))
  t.match(lines, [/^scripts\/deploy\/README\.md:\d+:.*Never type `npx plinth`/])
  t.equal(lines.length, 1)
})
