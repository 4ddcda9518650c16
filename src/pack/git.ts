// Runs git. Finds the checkout that a folder is in, the commit to pack, and writes that commit's files to an archive
// as the go command does: by `git archive`, with export-subst and export-ignore off (go.dev/issue/27153).

import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdir, open, rm, symlink, writeFile } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { environment } from '../config.js'
import { errno, quote } from '../errors.js'
import { MAX_GO_MOD_BYTES } from '../gomod/check-zip.js'

/** `folder` is the module's folder below the checkout's `top`, without slashes around it; `''` for the top itself. */
export type Checkout = { top: string; folder: string }

type Ran = { code: number; stdout: Buffer; stderr: string }

/**
 * Variables that name a repository: git sets them in hooks, relative to a working directory that is not ours. And the
 * token, which is nothing for git and for what git starts.
 */
const NOT_FOR_GIT =
  /^(?:GIT_(?:DIR|WORK_TREE|INDEX_FILE|COMMON_DIR|OBJECT_DIRECTORY|ALTERNATE_.*|NAMESPACE|ATTR_.*)|PLINTH_TOKEN)$/

// Messages of git are matched below, so they must be English. A folder's name is not a pattern. An object that is
// missing is not fetched: that would run programs that the repository's settings name. git before 2.45 does not know
// NO_LAZY_FETCH, and then has no protocol to fetch by. Nothing is written to the checkout, so no hook runs.
const env = (): NodeJS.ProcessEnv => ({
  ...Object.fromEntries(Object.entries(environment()).filter(([name]) => !NOT_FOR_GIT.test(name))),
  LC_ALL: 'C',
  GIT_LITERAL_PATHSPECS: '1',
  GIT_NO_LAZY_FETCH: '1',
  GIT_ALLOW_PROTOCOL: 'none',
  GIT_OPTIONAL_LOCKS: '0',
})

// The settings of a checkout may be a stranger's, and these name programs.
const NO_PROGRAMS = ['-c', 'core.fsmonitor=false', '-c', 'core.hooksPath=/dev/null']

// Without the settings of the machine and of the user: a commit gives the same zip everywhere.
const bareEnv = (): NodeJS.ProcessEnv => ({
  ...env(),
  GIT_CONFIG_GLOBAL: '/dev/null',
  GIT_CONFIG_NOSYSTEM: '1',
  GIT_ATTR_NOSYSTEM: '1',
})

const runWith = (more: NodeJS.ProcessEnv, cwd: string, ...args: string[]): Promise<Ran> =>
  new Promise((settle, reject) => {
    const options = {
      cwd,
      env: { ...env(), ...more },
      encoding: 'buffer',
      maxBuffer: MAX_GO_MOD_BYTES + 1,
    } as const
    execFile('git', [...NO_PROGRAMS, ...args], options, (error, stdout, stderr) => {
      if (error && typeof error.code !== 'number') return reject(error) // git did not run, or its output is too long
      settle({ code: Number(error?.code ?? 0), stdout, stderr: stderr.toString().trim() })
    })
  })

const run = (cwd: string, ...args: string[]): Promise<Ran> => runWith({}, cwd, ...args)

const lineOf = ({ stdout }: Ran): string => stdout.toString().replace(/\r?\n$/, '')

const looksLikeCheckout = (folder: string): boolean =>
  existsSync(join(folder, '.git')) || (dirname(folder) !== folder && looksLikeCheckout(dirname(folder)))

/** The checkout around `folder`, or `undefined` when there is none. Throws any other error of git. */
export async function findCheckout(folder: string): Promise<Checkout | undefined> {
  try {
    const top = await run(folder, 'rev-parse', '--show-toplevel')
    if (top.code === 0) {
      const prefix = lineOf(await run(folder, 'rev-parse', '--show-prefix'))
      return { top: lineOf(top), folder: prefix.replace(/\/$/, '') }
    }
    if (/not a git repository|must be run in a work tree/.test(top.stderr)) return undefined
    throw new Error(`git: ${top.stderr}`)
  } catch (error) {
    if (errno(error) !== 'ENOENT') throw error
    // Without git, uncommitted changes would be packed unnoticed.
    if (!looksLikeCheckout(folder)) return undefined
    throw new Error(`${folder} is in a git checkout, but there is no git here; --as-is packs it as it is`, {
      cause: error,
    })
  }
}

/** The full name of the commit that `revision` names, or `undefined`. */
export async function commitOf({ top }: Checkout, revision: string): Promise<string | undefined> {
  const found = await run(top, 'rev-parse', '--quiet', '--verify', '--end-of-options', `${revision}^{commit}`)
  return found.code === 0 ? lineOf(found) : undefined
}

/** When the commit was made. */
export async function commitTime({ top }: Checkout, commit: string): Promise<Date> {
  const [seconds] = (await mustRun(top, 'rev-list', '--max-count=1', '--timestamp', commit)).split(' ')
  return new Date(1000 * Number(seconds))
}

/**
 * Whether anything below the folder differs from `commit`. An untracked file counts, a submodule does not. git compares
 * by its filters, so it asks a repository of our own, whose settings name none. git writes into the folder `temp`.
 */
export async function hasChanges(checkout: Checkout, commit: string, temp: string): Promise<boolean> {
  const { top, folder } = checkout
  const repository = await borrow(checkout, temp)
  const theirPath = async (name: string): Promise<string> =>
    resolve(top, await mustRun(top, 'rev-parse', '--git-path', name))
  await writeFile(join(repository, 'HEAD'), `${commit}\n`)
  await rm(join(repository, 'info/attributes'))
  await symlink(await theirPath('info/exclude'), join(repository, 'info/exclude'))
  const theirs = { GIT_DIR: repository, GIT_WORK_TREE: top, GIT_INDEX_FILE: await theirPath('index') }
  const where = ['--', folder === '' ? '.' : folder]
  const status = await runWith(theirs, top, 'status', '--porcelain', '--ignore-submodules=all', ...where)
  await rm(repository, { recursive: true })
  return status.code !== 0 || status.stdout.length > 0
}

/** The file's content at the commit, or `undefined` when the commit has no such file. */
export async function blobOf({ top }: Checkout, commit: string, path: string): Promise<Buffer | undefined> {
  const entry = await mustRun(top, 'ls-tree', '--full-tree', commit, '--', path)
  if (!/^\d+ blob /.test(entry)) return undefined
  const blob = await run(top, 'cat-file', 'blob', `${commit}:${path}`)
  if (blob.code !== 0) throw new Error(`git cat-file of ${path} in commit ${commit}: ${blob.stderr}`)
  return blob.stdout
}

async function mustRun(cwd: string, ...args: string[]): Promise<string> {
  const ran = await run(cwd, ...args)
  if (ran.code !== 0) throw new Error(`git ${args[0]}: ${ran.stderr}`)
  return lineOf(ran)
}

// Makes a repository in `temp` that borrows the objects: its info/attributes override all others, and the user's own
// repository is not changed.
async function borrow({ top }: Checkout, temp: string): Promise<string> {
  const repository = join(temp, 'repository.git')
  const format = (await run(top, 'rev-parse', '--show-object-format')).stdout.toString().trim()
  const sha256 = format === 'sha256' ? ['--object-format=sha256'] : []
  await mustRun(temp, 'init', '--quiet', '--bare', '--template=', ...sha256, repository)
  const objects = resolve(top, await mustRun(top, 'rev-parse', '--git-path', 'objects'))
  await mkdir(join(repository, 'info'), { recursive: true })
  await mkdir(join(repository, 'objects/info'), { recursive: true })
  await writeFile(join(repository, 'info/attributes'), '* -export-subst -export-ignore\n')
  await writeFile(join(repository, 'objects/info/alternates'), `${objects}\n`)
  return repository
}

// go's own settings (cmd/go/internal/modfetch/codehost gitRepo.ReadZip)
const SETTINGS = ['-c', 'core.autocrlf=input', '-c', 'core.eol=lf', '-c', 'core.attributesFile=/dev/null']

/** Writes the commit's files below the checkout's folder to a zip in `temp`, uncompressed; returns its path. */
export async function archive(checkout: Checkout, commit: string, temp: string): Promise<string> {
  const repository = await borrow(checkout, temp)
  const path = join(temp, 'commit.zip')
  const file = await open(path, 'wx', 0o600)
  try {
    const where = checkout.folder === '' ? [] : ['--', checkout.folder]
    const args = [
      ...NO_PROGRAMS,
      '--git-dir',
      repository,
      ...SETTINGS,
      'archive',
      '--format=zip',
      '-0',
      commit,
      ...where,
    ]
    const child = spawn('git', args, { cwd: temp, env: bareEnv(), stdio: ['ignore', file.fd, 'pipe'] })
    const [said, [code]] = await Promise.all([text(child.stderr ?? Readable.from([])), once(child, 'close')])
    if (/did not match any files/.test(said))
      throw new Error(`commit ${commit.slice(0, 12)} has no folder ${quote(checkout.folder)}`)
    if (code !== 0) throw new Error(`git archive of commit ${commit}: ${said.trim()}`)
  } finally {
    await file.close()
  }
  return path
}
