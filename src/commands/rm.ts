// `plinth rm`: deletes a package, a version, or a file of a generic version.

import { parseArgs } from 'node:util'
import { deleteAt } from '../client/remote.js'
import { quote } from '../errors.js'
import { lowestFirst, readFilesOf, type PackageName } from '../packages/published.js'
import { runJob } from '../service/run-job.js'
import { WrongUsage, type Command } from './command.js'
import { mustBeSure } from './confirm.js'
import { jsonLines, print } from './print.js'
import { Progress } from './progress.js'
import {
  findPackage,
  mustBeVersion,
  noVersion,
  parseNamed,
  treeAt,
  typeIn,
  TYPE_OPTION,
} from './published.js'
import { namesServer, sayWhere, whereOf, WHERE_OPTIONS, type Where } from './where.js'

const OPTIONS = {
  ...WHERE_OPTIONS,
  ...TYPE_OPTION,
  file: { type: 'string' },
  yes: { type: 'boolean', default: false },
  json: { type: 'boolean', default: false },
} as const

/** What is deleted: `versions` of a package, the lowest first, or one `file` of one of them. */
type Doomed = PackageName & { owner: string; versions: string[]; file?: string }

/** What will be deleted, in words. Throws when there is no such thing. */
async function wordsFor(
  where: Where,
  { owner, versions, file, ...at }: Doomed,
  all: boolean,
): Promise<string> {
  if (all) {
    const count = versions.length === 1 ? 'its one version' : `all ${versions.length} versions`
    return `${owner}/${at.name} with ${count}`
  }
  const [version = ''] = versions
  mustBeVersion(at, owner, version)
  const found = await readFilesOf(treeAt(where), owner, { ...at, version })
  if (!found) throw noVersion(`${owner}/${at.name}`, version)
  if (file === undefined) return `${owner}/${at.name} ${version}`
  if (at.kind === 'go' || !found.files.some((each) => each.file === file))
    throw new Error(`${owner}/${at.name} ${version} has no file ${quote(file)}`)
  return `${file} of ${owner}/${at.name} ${version}`
}

/** Deletes one version after the other; on a server one that somebody else has deleted meanwhile is gone, too. */
async function remove(where: Where, doomed: Doomed, all: boolean): Promise<void> {
  const { versions, kind, owner, name, file } = doomed
  const progress = new Progress()
  try {
    if (!('remote' in where)) {
      const part = all ? {} : { version: versions[0] ?? '', ...(file !== undefined && { file }) }
      const request = { type: kind, owner, name, ...part }
      for await (const { deleted, total } of runJob(where.config, 'deletion', request))
        progress.showCount('deleting', deleted, total)
      return
    }
    for (const [done, version] of versions.entries()) {
      progress.showCount('deleting', done, versions.length, version)
      await deleteAt(where.remote, { owner, kind, name, version, ...(file !== undefined && { file }) })
    }
  } finally {
    progress.clear()
  }
}

export const rm: Command = {
  name: 'rm',
  options: Object.keys(OPTIONS),
  anywhere: namesServer,
  usage: `  rm OWNER/PACKAGE[@VERSION] [--file FILE] [--type go|generic] [--url URL] [--yes] [--json]
                                          delete a version, a file of one, or a package with all its versions,
                                          for good; asks before, unless --yes`,

  async run(words) {
    const { values, positionals } = parseArgs({ args: words, allowPositionals: true, options: OPTIONS })
    const [word, ...more] = positionals
    if (word === undefined || more.length > 0)
      throw new WrongUsage('rm takes OWNER/PACKAGE or OWNER/PACKAGE@VERSION')
    const named = parseNamed(word)
    const { file } = values
    if (file !== undefined && named.version === undefined)
      throw new WrongUsage('rm --file is of a version: OWNER/PACKAGE@VERSION')
    const type = typeIn(values)
    const where = whereOf(values)
    sayWhere(where)
    const { kind, name, index } = await findPackage(where, named, type)
    const all = named.version === undefined
    const versions = named.version === undefined ? lowestFirst(index) : [named.version]
    const doomed = { owner: named.owner, kind, name, versions, ...(file !== undefined && { file }) }
    const text = await wordsFor(where, doomed, all)
    if (!values.yes) await mustBeSure(`${text} will be deleted for good.`)
    await remove(where, doomed, all)
    print(values.json ? jsonLines({ deleted: doomed }) : `deleted ${text}`)
    return 0
  },
}
