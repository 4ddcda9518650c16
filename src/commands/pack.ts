// `plinth pack`: makes the module zip of a folder as go would.

import { createReadStream, existsSync, realpathSync } from 'node:fs'
import { copyFile, rename } from 'node:fs/promises'
import { basename, dirname, isAbsolute, join, relative, resolve, sep } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { parseArgs } from 'node:util'
import { privateGetLine } from '../client/server.js'
import { publishingTo } from '../client/settings.js'
import { problemLine } from '../gomod/problems.js'
import { checkVersion } from '../gomod/semver.js'
import { pack as packModule, type Checked, type Packed, type Packing } from '../pack/pack.js'
import { withTempFolder } from '../pack/temp.js'
import { WrongUsage, type Command } from './command.js'
import { jsonLines, print, printError } from './print.js'
import { Progress } from './progress.js'

/** The options of packing, for `pack` and `publish`. */
export const PACK_OPTIONS = {
  module: { type: 'string' },
  rev: { type: 'string' },
  'as-is': { type: 'boolean', default: false },
  'dry-run': { type: 'boolean', default: false },
  json: { type: 'boolean', default: false },
} as const

type Values = { module?: string; rev?: string; 'as-is': boolean }

// 'sub/v1.2.3' → sub, v1.2.3
/** Splits a tag, as CI systems pass it, into folder and version. */
export function folderAndVersion(word: string): { folder: string; version: string } {
  const slash = word.lastIndexOf('/')
  const version = word.slice(slash + 1)
  if (slash <= 0 || checkVersion(version) !== undefined) return { folder: '.', version: word }
  const folder = word.slice(0, slash)
  const ofMajor = join(folder, version.split('.', 1)[0] ?? '') // tags do not name the folder of a major version
  return { folder: existsSync(join(ofMajor, 'go.mod')) ? ofMajor : folder, version }
}

/** Packs into a file in `temp`, with progress on a terminal. */
export async function packFolder(
  folder: string,
  version: string,
  values: Values,
  temp: string,
): Promise<Packed> {
  if (values['as-is'] && values.rev !== undefined) throw new WrongUsage('--as-is is without --rev')
  const progress = new Progress()
  const packing: Packing = {
    folder,
    version,
    temp,
    module: values.module,
    revision: values.rev,
    asIs: values['as-is'],
    onBytes: (done, total) => progress.showBytes('packing', done, total),
  }
  try {
    return await packModule(packing, join(temp, 'module.zip'))
  } finally {
    progress.clear()
  }
}

const files = (count: number): string => `${count} ${count === 1 ? 'file' : 'files'}`

/** The files in the zip and those left out, one a line. */
export const listLines = ({ files: taken, leftOut }: Packed): string[] => [
  ...taken.map(({ path, size }) => `+ ${path} (${size} bytes)`),
  ...leftOut.map(({ path, rule }) => `- ${problemLine({ name: path, rule })}`),
]

/** A summary and the two lines of go.sum. */
export function packedLines(packed: Packed): string[] {
  const { module, version, commit, zipHash, modHash, bytes, leftOut } = packed
  const from = commit === undefined ? '' : ` of commit ${commit.slice(0, 12)}`
  const left = leftOut.length === 0 ? '' : `, ${leftOut.length} left out`
  return [
    `packed ${module} ${version}${from}: ${files(packed.files.length)}${left}, ${bytes} bytes`,
    `${module} ${version} ${zipHash}`,
    `${module} ${version}/go.mod ${modHash}`,
  ]
}

// How go will get it, where its path alone tells go where it is
function getLines({ module, version }: Packed): string[] {
  const line = privateGetLine(publishingTo(), module, version)
  return line === undefined ? [] : [`when it is published: ${line}`]
}

/** For scripts. */
export const packedJson = ({ path: _temporary, ...packed }: Checked): object => packed

export const warn = (warnings: readonly string[]): void =>
  printError(warnings.map((text) => `plinth: warning: ${text}`))

// ('example.com/m/v2', 'v2.0.0') → m-v2.0.0.zip
function defaultName(module: string, version: string): string {
  const parts = module.split('/')
  if (parts.length > 1 && /^v[0-9]+$/.test(parts.at(-1) ?? '')) parts.pop()
  return `${parts.at(-1)}-${version}.zip`
}

// The temporary file may be on another file system: it is copied next to its target first, then renamed.
async function moveTo(file: string, path: string): Promise<void> {
  await withTempFolder(async (beside) => {
    await copyFile(path, join(beside, 'module.zip'))
    await rename(join(beside, 'module.zip'), file)
  }, dirname(file))
}

// A second run would pack the zip of the first. In a checkout only what is committed is packed.
function mustBeOutside(folder: string, file: string): void {
  const inside = relative(realpathSync(folder), join(realpathSync(dirname(file)), basename(file)))
  if (inside === '..' || inside.startsWith(`..${sep}`) || isAbsolute(inside)) return
  throw new Error(`${file} would be in the folder that is packed: -o names a place outside of it`)
}

export const pack: Command = {
  name: 'pack',
  options: [...Object.keys(PACK_OPTIONS), 'output'],
  anywhere: () => true,
  usage: `  pack [DIR] VERSION [-o FILE] [--rev COMMIT | --as-is] [--module PATH] [--dry-run] [--json]
                                          make the module zip of a folder as go would: of the commit that the
                                          version's tag names, else of HEAD; outside of git of the files as
                                          they are, which --as-is always takes. A tag such as sub/v1.2.3
                                          may stand for both words. -o - writes to standard output;
                                          --dry-run lists what goes in, and what is left out and why`,

  async run(words) {
    const { values, positionals } = parseArgs({
      args: words,
      allowPositionals: true,
      options: { ...PACK_OPTIONS, output: { type: 'string', short: 'o' } },
    })
    const [last, given, ...more] = positionals.toReversed()
    if (last === undefined || more.length > 0) throw new WrongUsage('pack takes [DIR] VERSION')
    const { folder, version } =
      given === undefined ? folderAndVersion(last) : { folder: given, version: last }
    return withTempFolder(async (temp) => {
      const packed = await packFolder(folder, version, values, temp)
      warn(packed.warnings)
      const { 'dry-run': dryRun, json } = values
      const file = values.output ?? defaultName(packed.module, packed.version)
      const toStdout = file === '-' && !dryRun
      const say = toStdout ? printError : print
      if (toStdout) await pipeline(createReadStream(packed.path), process.stdout, { end: false })
      else if (!dryRun && packed.commit === undefined) mustBeOutside(folder, resolve(file))
      if (!toStdout && !dryRun) await moveTo(resolve(file), packed.path)
      if (json) say(jsonLines({ ...packedJson(packed), ...(!dryRun && { file }) }, 2))
      else if (dryRun) say([...listLines(packed), ...packedLines(packed), ...getLines(packed)])
      else say([...packedLines(packed), ...getLines(packed), file])
      return 0
    })
  },
}
