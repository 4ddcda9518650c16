// Runs git. Finds the checkout that a folder is in, the commit to pack, and writes that commit's files to an archive
// as the go command does: by `git archive`, with export-subst and export-ignore off (go.dev/issue/27153).

import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdir, open, writeFile } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { environment } from '../config.js'
import { errno, quote } from '../errors.js'
import { MAX_GO_MOD_BYTES } from '../gomod/check-zip.js'

/** `folder` is the module's folder below the checkout's `top`, without slashes around it; `''` for the top itself. */
export type Checkout = { top: string; folder: string }

type Ran = { code: number; stdout: Buffer; stderr: string }

/** Variables that name a repository. git sets them in hooks, relative to a working directory that is not ours. */
const REPOSITORY =
  /^GIT_(?:DIR|WORK_TREE|INDEX_FILE|COMMON_DIR|OBJECT_DIRECTORY|ALTERNATE_.*|NAMESPACE|ATTR_.*)$/

// Messages of git are matched below, so they must be English. A folder's name is not a pattern.
const env = (): NodeJS.ProcessEnv => ({
  ...Object.fromEntries(Object.entries(environment()).filter(([name]) => !REPOSITORY.test(name))),
  LC_ALL: 'C',
  GIT_LITERAL_PATHSPECS: '1',
})

// Without the settings of the machine and of the user: a commit gives the same zip everywhere.
const bareEnv = (): NodeJS.ProcessEnv => ({
  ...env(),
  GIT_CONFIG_GLOBAL: '/dev/null',
  GIT_CONFIG_NOSYSTEM: '1',
  GIT_ATTR_NOSYSTEM: '1',
})

const run = (cwd: string, ...args: string[]): Promise<Ran> =>
  new Promise((settle, reject) => {
    const options = { cwd, env: env(), encoding: 'buffer', maxBuffer: MAX_GO_MOD_BYTES + 1 } as const
    execFile('git', args, options, (error, stdout, stderr) => {
      if (error && typeof error.code !== 'number') return reject(error) // git did not run, or its output is too long
      settle({ code: Number(error?.code ?? 0), stdout, stderr: stderr.toString().trim() })
    })
  })

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
  return new Date(
    1000 * Number(await mustRun(top, 'log', '--no-show-signature', '-1', '--format=%ct', commit)),
  )
}

/** Whether anything below the folder differs from the last commit. An untracked file counts. */
export async function hasChanges({ top, folder }: Checkout): Promise<boolean> {
  const status = await run(top, 'status', '--porcelain', '--', folder === '' ? '.' : folder)
  return status.stdout.length > 0
}

/** The file's content at the commit, or `undefined` when the commit has no such file. */
export async function blobOf({ top }: Checkout, commit: string, path: string): Promise<Buffer | undefined> {
  const blob = await run(top, 'cat-file', 'blob', `${commit}:${path}`)
  return blob.code === 0 ? blob.stdout : undefined
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
    const args = ['--git-dir', repository, ...SETTINGS, 'archive', '--format=zip', '-0', commit, ...where]
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
