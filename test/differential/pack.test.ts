// The content of our zip against that of go's, by its h1, for every shape: of a folder against CreateFromDir, of a
// commit against CreateFromVCS and against `go mod download` from that very repository; and the zip of
// scripts/publish-module.sh against ours.

import { execFile, execFileSync } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import t from 'tap'
import { messageOf } from '../../src/errors.js'
import { problemText } from '../../src/gomod/problems.js'
import { readModuleZip } from '../../src/modzip/read-zip.js'
import { pack } from '../../src/pack/pack.js'
import { tagOf } from '../../src/pack/commit.js'
import { buildOracle, startOracle } from '../support/oracle.js'
import { GO_CACHE } from '../support/go.js'
import { needs } from '../support/programs.js'
import { tempFolder } from '../support/temp-folder.js'
import { SHAPES, type Shape } from './shapes.js'

const HOST = 'example.com'
const all = tempFolder('plinth-shapes')
writeFileSync(
  join(all, 'gitconfig'),
  `[url "file://${all}/"]\n\tinsteadOf = https://${HOST}/\n[user]\n\tname = x\n\temail = x@example.com\n[core]\n\tquotePath = true\n`,
)
process.env['GIT_CONFIG_GLOBAL'] = join(all, 'gitconfig')
const git = (cwd: string, ...args: string[]): string =>
  execFileSync('git', ['-c', 'protocol.file.allow=always', ...args], { cwd, encoding: 'utf8', stdio: 'pipe' })

function write(folder: string, files: Record<string, string>, module: string): void {
  for (const [name, content] of Object.entries(files)) {
    const path = join(folder, name)
    mkdirSync(dirname(path), { recursive: true })
    if (content === 'dir') mkdirSync(path)
    else if (content.startsWith('->')) symlinkSync(content.slice(2), path)
    else writeFileSync(path, content.replace('MODULE', module))
    if (content.startsWith('+x ')) chmodSync(path, 0o755)
  }
}

/** The checkout of a shape, tagged, and what it is called. */
function checkOut(shape: Shape, index: number) {
  const version = shape.version ?? 'v1.0.0'
  const name = `r${index}.git` // with this ending go knows where the repository ends
  const top = join(all, name)
  const sub = shape.sub ?? ''
  const suffix = version.startsWith('v2') && !sub.endsWith('v2') ? 'v2' : ''
  const module = [HOST, name, ...sub.split('/'), suffix].filter((part) => part !== '').join('/')
  mkdirSync(top)
  git(top, 'init', '-q')
  // an odd name cannot stand in a module path
  const path = /[^-._~/0-9A-Za-z]/.test(module) ? `${HOST}/odd` : module
  write(top, shape.files, path)
  if (shape.submodule !== undefined)
    git(top, 'submodule', '--quiet', 'add', join(all, 'dep'), shape.submodule)
  git(top, 'add', '-A', '-f')
  git(top, 'commit', '-qm', 'x')
  if (!sub.includes(' ')) git(top, 'tag', '-am', 'x', tagOf(sub, version))
  write(top, shape.untracked ?? {}, path)
  return { shape, top, sub, module: path, version }
}

type Made = { h1: string } | { error: string }

async function ours(folder: string, version: string, asIs: boolean): Promise<Made> {
  const temp = tempFolder('plinth-packing')
  try {
    return { h1: (await pack({ folder, version, asIs, temp }, join(temp, 'm.zip'))).zipHash }
  } catch (error) {
    return { error: messageOf(error) }
  } finally {
    rmSync(temp, { recursive: true })
  }
}

const SCRIPT = fileURLToPath(new URL('../../../scripts/publish-module.sh', import.meta.url))
const SHELL = existsSync('/bin/dash') ? '/bin/dash' : '/bin/sh'

/** The zip of scripts/publish-module.sh: no folder entries, and the server's own rules hold. */
async function byScript(folder: string, version: string): Promise<Made> {
  const zip = join(tempFolder('plinth-script'), 'm.zip')
  try {
    await promisify(execFile)(SHELL, [SCRIPT, '-o', zip, folder, version])
  } catch (error) {
    return { error: (error as { stderr: string }).stderr }
  }
  const reading = await readModuleZip(zip)
  if (!reading.ok) return { error: problemText(reading.problems) }
  return reading.zip.warnings.length === 0
    ? { h1: reading.zip.zipHash }
    : { error: problemText(reading.zip.warnings) }
}

/** What `go mod download` has for each `module@version`, fetched from the repositories. */
async function byCommand(versions: string[]): Promise<Map<string, Made>> {
  const env = {
    ...process.env,
    GOPROXY: 'direct',
    GONOSUMDB: '*',
    GOVCS: '*:all',
    GOTOOLCHAIN: 'local',
    GOFLAGS: '-modcacherw',
    GOMODCACHE: join(all, 'cache'),
    GOCACHE: GO_CACHE,
    GOENV: 'off',
    GIT_TERMINAL_PROMPT: '0',
  }
  const asked = promisify(execFile)('go', ['mod', 'download', '-json', ...versions], {
    cwd: all,
    env,
    maxBuffer: 2 ** 26,
  }).catch((error: unknown) => error as { stdout: string; stderr: string }) // it fails when one of them does
  const { stdout } = await asked
  type Answer = { Path: string; Version: string; Sum?: string; Error?: string }
  const answers = JSON.parse(`[${stdout.replaceAll('\n}\n{', '\n},{')}]`) as Answer[]
  return new Map(
    answers.map(({ Path, Version, Sum, Error }) => [
      `${Path}@${Version}`,
      Sum === undefined ? { error: Error ?? '' } : { h1: Sum },
    ]),
  )
}

const shown = (made: Made | undefined): string =>
  made === undefined ? 'nothing' : 'h1' in made ? made.h1 : `refused: ${made.error}`
const alike = (made: Made): string => ('h1' in made ? made.h1 : 'refused')

t.test('the content is that of go', needs('go', 'git'), async (t) => {
  mkdirSync(join(all, 'dep'))
  write(join(all, 'dep'), { 'go.txt': 'x' }, '')
  git(join(all, 'dep'), 'init', '-q')
  git(join(all, 'dep'), 'add', '.')
  git(join(all, 'dep'), 'commit', '-qm', 'x')
  const checkouts = SHAPES.map(checkOut)
  const asking = byCommand(
    checkouts.filter(({ shape }) => !shape.notByCommand).map(({ module, version }) => `${module}@${version}`),
  )
  const oracle = startOracle(buildOracle(), 'pack')
  t.teardown(oracle.stop)
  const made = new Map<string, Made>()
  const counts = { folders: 0, commits: 0, scripts: 0, downloads: 0, refused: 0 }
  for (const { shape, top, sub, module, version } of checkouts) {
    const folder = join(top, sub)
    const [commit, asIs, script] = await Promise.all([
      ours(folder, version, false),
      ours(folder, version, true),
      byScript(folder, version),
    ])
    counts.commits++
    counts.scripts++
    const wanted = shape.notByScript ? 'refused' : alike(commit)
    t.equal(alike(script), wanted, `${shape.name}: by the script: ${shown(script)}`)
    if (alike(commit) === 'refused') counts.refused++
    t.equal('error' in commit, shape.refused === true, `${shape.name}: ${shown(commit)}`)
    if (!shape.notByVcs) {
      const go = await oracle.pack({ dir: top, rev: 'HEAD', subdir: sub, module, version })
      t.equal(
        alike(commit),
        go.ok ? go.h1 : 'refused',
        `${shape.name}: as CreateFromVCS ${go.error} ${shown(commit)}`,
      )
    }
    if (!shape.notByCommand) made.set(`${module}@${version}`, commit)
    counts.folders++
    if (shape.submodule !== undefined) continue // its .git file is in no zip of ours
    const go = await oracle.pack({ dir: folder, module, version })
    t.equal(
      alike(asIs),
      go.ok ? go.h1 : 'refused',
      `${shape.name}: as CreateFromDir ${go.error} ${shown(asIs)}`,
    )
  }
  const command = await asking
  for (const { shape, module, version } of checkouts) {
    const ours = made.get(`${module}@${version}`)
    if (!ours) continue
    counts.downloads++
    const go = command.get(`${module}@${version}`)
    t.equal(alike(ours), go && alike(go), `${shape.name}: as go mod download: ${shown(go)} ${shown(ours)}`)
  }
  t.comment(JSON.stringify({ shapes: SHAPES.length, ...counts }))
})
