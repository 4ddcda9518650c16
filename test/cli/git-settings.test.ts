// A checkout whose settings name programs: publishing a stranger's folder runs none of them.

import { execFileSync, spawnSync } from 'node:child_process'
import {
  appendFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { plainNode, CLI, type CliResult } from '../support/cli.js'
import { needs } from '../support/programs.js'
import { tempFolder } from '../support/temp-folder.js'

const SCRIPT = fileURLToPath(new URL('../../../scripts/publish-module.sh', import.meta.url))
const ENV = {
  PATH: process.env['PATH'],
  HOME: tempFolder('plinth-home'),
  TMPDIR: tempFolder('plinth-temp'),
  GIT_CONFIG_GLOBAL: '/dev/null',
  PLINTH_TOKEN: 'a-secret',
}

/** Programs leave files here: their name, with what they see of the token. */
const marks = tempFolder('plinth-marks')
const markers = tempFolder('plinth-markers')
const marker = (name: string): string => {
  const path = join(markers, name)
  const text = `#!/bin/sh\necho "\${PLINTH_TOKEN-none}" > '${marks}/${name}'\ncase $0 in *filter*) exec cat ;; esac\nexit 1\n`
  writeFileSync(path, text, { mode: 0o755 })
  return path
}

const git = (cwd: string, ...args: string[]): string => {
  const who = ['-c', 'user.name=x', '-c', 'user.email=x@example.com', '-c', 'protocol.file.allow=always']
  return execFileSync('git', [...who, ...args], { cwd, encoding: 'utf8', stdio: 'pipe', env: ENV }).trim()
}

function write(top: string, files: Record<string, string>): void {
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(top, name)), { recursive: true })
    writeFileSync(join(top, name), content)
  }
}

// every setting of git-config(1) that names a program which a reading command may come to
const hostileSettings = (): string => `
[core]
  fsmonitor = ${marker('fsmonitor')}
  hooksPath = ${hooks}
  sshCommand = ${marker('ssh')}
  pager = ${marker('pager')}
  editor = ${marker('editor')}
  askPass = ${marker('askpass')}
  gitProxy = ${marker('proxy')}
  attributesFile = ${attributes}
[pager]
  status = true
  log = true
  archive = ${marker('pager-archive')}
[diff]
  external = ${marker('diff')}
[diff "x"]
  textconv = ${marker('textconv')}
  command = ${marker('diff-x')}
[filter "x"]
  clean = ${marker('filter-clean')}
  smudge = ${marker('filter-smudge')}
  required = true
[filter "a=b"]
  clean = ${marker('filter-equals')}
[merge "x"]
  driver = ${marker('merge')}
[tar "tar"]
  command = ${marker('tar')}
[tar "zip"]
  command = ${marker('tar-zip')}
[log]
  showSignature = true
[gpg]
  program = ${marker('gpg')}
[credential]
  helper = ${marker('credential')}
[uploadpack]
  packObjectsHook = ${marker('pack-objects')}
[alias]
  status = !${marker('alias')}
[protocol]
  allow = always
[protocol "ext"]
  allow = always
[extensions]
  partialClone = origin
[remote "origin"]
  url = ext::${marker('remote')} x
  promisor = true
  uploadpack = ${marker('uploadpack')}
`
const hooks = tempFolder('plinth-hooks')
for (const name of ['post-index-change', 'post-checkout', 'reference-transaction', 'fsmonitor-watchman'])
  writeFileSync(join(hooks, name), readFileSync(marker(name)), { mode: 0o755 })
const attributes = join(tempFolder(), 'attributes')
writeFileSync(attributes, '*.go filter=x diff=x\n*.txt filter=a=b\n')

const FILES = {
  'go.mod': 'module example.com/m\n\ngo 1.24\n',
  'm.go': 'package m\n',
  LICENSE: 'as you like\n',
  'a.txt': 'text\n',
  '.gitattributes': '*.go filter=x diff=x\n*.txt filter=a=b\n',
  'sub/go.mod': 'module example.com/m/sub\n\ngo 1.24\n',
  'sub/s.go': 'package s\n',
}

/** Each file has another time than the index knows, so git reads and filters it to compare. */
const touch = (top: string): void => {
  for (const name of ['m.go', 'a.txt', 'sub/s.go']) utimesSync(join(top, name), 1e9, 1e9)
}

function hostileCheckout(): { top: string; worktree: string } {
  const lib = tempFolder('plinth-lib')
  write(lib, { 'go.mod': 'module example.com/lib\n', 'lib.go': 'package lib\n' })
  git(lib, 'init', '-q')
  git(lib, 'add', '-A')
  git(lib, 'commit', '-qm', 'x')
  const top = tempFolder('plinth-hostile')
  write(top, FILES)
  git(top, 'init', '-q')
  git(top, 'submodule', '--quiet', 'add', lib, 'lib')
  git(top, 'add', '-A')
  git(top, 'commit', '-qm', 'x')
  git(top, 'tag', 'v1.0.0')
  git(top, 'tag', 'sub/v1.0.0')
  const worktree = join(tempFolder(), 'tree')
  git(top, 'worktree', 'add', '-q', worktree)
  const license = git(top, 'rev-parse', 'HEAD:LICENSE')
  git(top, 'tag', 'v1.9.0', 'HEAD')
  writeFileSync(join(top, '.git/refs/tags/v1.8.0'), `${'1234567890'.repeat(4)}\n`) // a tag of a missing object
  git(top, 'config', 'extensions.worktreeConfig', 'true')
  writeFileSync(join(top, '.git/config.worktree'), `[core]\n  fsmonitor = ${marker('fsmonitor-worktree')}\n`)
  git(worktree, 'config', '--worktree', 'core.fsmonitor', marker('fsmonitor-other-worktree'))
  for (const config of ['.git/config', '.git/modules/lib/config']) {
    git(top, 'config', '-f', join(top, config), 'core.repositoryFormatVersion', '1')
    appendFileSync(join(top, config), hostileSettings())
  }
  rmSync(join(top, '.git/objects', license.slice(0, 2), license.slice(2)))
  for (const one of [top, worktree]) touch(one)
  utimesSync(join(top, 'lib/lib.go'), 1e9, 1e9)
  return { top, worktree }
}

const seen = (): string[] => readdirSync(marks).sort()
const clear = (): void => seen().forEach((name) => rmSync(join(marks, name)))

const run = (program: string, args: string[], cwd: string): CliResult => {
  const { status, stdout, stderr } = spawnSync(program, args, { cwd, encoding: 'utf8', env: ENV })
  return { code: status ?? 1, stdout, stderr }
}
const pack = (cwd: string, ...words: string[]): CliResult =>
  run(...plainNode(CLI, 'pack', ...words, '--dry-run'), cwd)
const script = (cwd: string, ...words: string[]): CliResult => run('sh', [SCRIPT, '-n', ...words], cwd)

t.test('no program that the settings of a checkout name is run', needs('git'), async (t) => {
  const { top, worktree } = hostileCheckout()
  spawnSync('git', ['status'], { cwd: top, env: ENV })
  for (const name of ['fsmonitor-worktree', 'filter-clean', 'filter-equals'])
    t.ok(seen().includes(name), `git status itself runs ${name}`)
  clear()
  spawnSync('git', ['cat-file', 'blob', 'HEAD:LICENSE'], { cwd: top, env: ENV })
  t.ok(seen().includes('remote'), 'git itself fetches what is missing')
  clear()

  const packed = 0
  const refused = 1
  const cases: [what: string, ran: () => CliResult, code: number][] = [
    ['the commit of a tag', () => pack(top, 'v1.0.0'), refused], // its LICENSE is missing
    ['HEAD, with a look for changes', () => pack(top, 'sub', 'v1.5.0'), refused],
    ['a folder whose LICENSE is missing', () => pack(top, 'sub/v1.0.0'), refused],
    ['a tag whose commit is missing', () => pack(top, 'v1.8.0'), refused],
    ['a file of the index', () => pack(top, 'v1.0.0', '--rev', ':0:m.go'), refused],
    ['the folder as it is', () => pack(top, 'v1.0.0', '--as-is'), packed],
    ['a worktree', () => pack(worktree, 'v1.5.0'), refused],
    ['a submodule', () => pack(join(top, 'lib'), 'v1.0.0'), packed],
    ['the script: the commit of a tag', () => script(top, 'v1.0.0'), refused],
    ['the script: a folder whose LICENSE is missing', () => script(top, 'sub/v1.0.0'), refused],
    ['the script: a tag whose commit is missing', () => script(top, 'v1.8.0'), refused],
    ['the script: a file of the index', () => script(top, '-c', ':0:m.go', 'v1.0.0'), refused],
    ['the script: a worktree', () => script(worktree, 'v1.5.0'), refused],
    ['the script: a submodule', () => script(join(top, 'lib'), 'v1.0.0'), packed],
  ]
  for (const [what, ran, code] of cases) {
    for (const one of [top, worktree]) touch(one)
    const result = ran()
    t.equal(result.code, code, `${what}: ${result.stdout}${result.stderr}`)
    t.same(seen(), [], what)
    clear()
  }

  // with the object everything is packed, and again nothing is run
  write(top, { LICENSE: FILES.LICENSE })
  git(
    top,
    '-c',
    'core.fsmonitor=false',
    '-c',
    'core.hooksPath=/dev/null',
    'hash-object',
    '-w',
    '--no-filters',
    'LICENSE',
  )
  clear()
  for (const [what, ran] of cases.filter(([name]) => !/missing|index/.test(name))) {
    for (const one of [top, worktree]) touch(one)
    const result = ran()
    t.equal(result.code, packed, `${what}: ${result.stderr}`)
    t.same(seen(), [], what)
  }
  t.match(pack(top, 'sub/v1.0.0').stdout, '+ LICENSE (12 bytes)', 'that of the root')
})

t.test('changes are noticed by the rules of the checkout', needs('git'), async (t) => {
  const top = tempFolder('plinth-changes')
  write(top, FILES)
  git(top, 'init', '-q')
  git(top, 'add', '-A')
  git(top, 'commit', '-qm', 'x')
  const UNCOMMITTED = 'what is not committed is not packed'
  t.notMatch(pack(top, 'v1.0.0').stderr, UNCOMMITTED)
  touch(top)
  t.notMatch(pack(top, 'v1.0.0').stderr, UNCOMMITTED, 'another time is no change')
  write(top, { '.git/info/exclude': '*.log\n', 'x.log': 'x', 'sub/y.log': 'y' })
  t.notMatch(pack(top, 'v1.0.0').stderr, UNCOMMITTED, 'what .git/info/exclude names does not count')
  write(top, { 'new.go': 'package m\n' })
  t.match(pack(top, 'v1.0.0').stderr, UNCOMMITTED, 'an untracked file counts')
  t.notMatch(pack(top, 'sub', 'v1.0.0').stderr, UNCOMMITTED, 'outside of the folder it does not')
  rmSync(join(top, 'new.go'))
  git(top, 'update-index', '--split-index')
  t.equal(pack(top, 'v1.0.0').code, 0, 'an index that git cannot read from elsewhere')
})
