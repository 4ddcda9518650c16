// `plinth rm`: deletes a package, a version, or a file of a generic version.

import { parseArgs } from 'node:util'
import { deleteAt } from '../client/remote.js'
import { quote } from '../errors.js'
import { readFilesOf, readIndexOf, type PackageName } from '../packages/published.js'
import { runJob } from '../service/run-job.js'
import { WrongUsage, type Command } from './command.js'
import { mustBeSure } from './confirm.js'
import { jsonLines, print } from './print.js'
import { Progress } from './progress.js'
import { findPackage, parseNamed, treeAt, TYPE_OPTION } from './published.js'
import { namesServer, sayWhere, whereOf, WHERE_OPTIONS, type Where } from './where.js'

const OPTIONS = {
  ...WHERE_OPTIONS,
  ...TYPE_OPTION,
  file: { type: 'string' },
  yes: { type: 'boolean', default: false },
  json: { type: 'boolean', default: false },
} as const

type Doomed = PackageName & { owner: string; version?: string; file?: string }

/** What will be deleted, in words. Throws when there is no such thing. */
async function wordsFor(where: Where, { owner, version, file, ...at }: Doomed): Promise<string> {
  const tree = treeAt(where)
  if (version === undefined) {
    const count = (await readIndexOf(tree, owner, at))?.count ?? 0
    return `${owner}/${at.name} with ${count === 1 ? 'its one version' : `all ${count} versions`}`
  }
  const found = await readFilesOf(tree, owner, { ...at, version })
  if (!found) throw new Error(`${owner}/${at.name} has no version ${quote(version)}`)
  if (file === undefined) return `${owner}/${at.name} ${version}`
  if (at.kind === 'go' || !found.files.some((each) => each.file === file))
    throw new Error(`${owner}/${at.name} ${version} has no file ${quote(file)}`)
  return `${file} of ${owner}/${at.name} ${version}`
}

async function remove(where: Where, doomed: Doomed): Promise<void> {
  if ('remote' in where) return deleteAt(where.remote, doomed)
  const { kind: type, ...named } = doomed
  const progress = new Progress()
  try {
    for await (const { deleted, total } of runJob(where.config, 'deletion', { type, ...named }))
      progress.showCount('deleting', deleted, total)
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
    const where = whereOf(values)
    sayWhere(where)
    const at = await findPackage(where, named, values.type)
    const doomed = { ...named, ...at, ...(file !== undefined && { file }) }
    const text = await wordsFor(where, doomed)
    if (!values.yes) await mustBeSure(`${text} will be deleted for good.`)
    await remove(where, doomed)
    print(values.json ? jsonLines({ deleted: doomed }) : `deleted ${text}`)
    return 0
  },
}
