// `plinth ls`: the owners, the packages of one, or the versions of a package.

import { parseArgs } from 'node:util'
import type { PackageName } from '../packages/published.js'
import { WrongUsage, type Command } from './command.js'
import { jsonLines, print, printTable } from './print.js'
import {
  findPackage,
  mustHaveCatalogue,
  ownersAt,
  parseNamed,
  typeIn,
  TYPE_OPTION,
  type Named,
} from './published.js'
import { namesServer, whereOf, WHERE_OPTIONS, type Where } from './where.js'

const OPTIONS = { ...WHERE_OPTIONS, ...TYPE_OPTION, json: { type: 'boolean', default: false } } as const

type How = { json: boolean; type: PackageName['kind'] | undefined }

async function listOwners(where: Where, json: boolean): Promise<void> {
  const owners = await ownersAt(where)
  const rows = owners.map(({ name, public: isPublic }) => [name, isPublic ? 'public' : 'private'])
  if (json) print(jsonLines(owners))
  else printTable(rows)
}

async function listPackages(where: Where, owner: string, { json, type }: How): Promise<void> {
  const catalogue = await mustHaveCatalogue(where, owner)
  const shown = catalogue.filter(({ kind }) => type === undefined || kind === type)
  const rows = shown.map(({ kind, name, latest, versions, updated }) => [
    kind,
    name,
    latest,
    `${versions} version${versions === 1 ? '' : 's'}`,
    updated,
  ])
  if (json) print(jsonLines(shown))
  else printTable(rows)
}

/** The highest versions have their time and size; of the others the names are known. */
async function listVersions(where: Where, named: Named, { json, type }: How): Promise<void> {
  const { index } = await findPackage(where, named, type)
  if (json) return print(jsonLines(index, 2))
  const rows = index.versions.map((entry) => [
    entry.version,
    entry.time,
    `${entry.size} bytes`,
    ...('retracted' in entry ? [`retracted${entry.retracted ? `: ${entry.retracted}` : ''}`] : []),
  ])
  printTable([...rows, ...index.older.map((version) => [version])])
}

export const ls: Command = {
  name: 'ls',
  options: Object.keys(OPTIONS),
  anywhere: namesServer,
  usage: `  ls [--url URL] [--json]                 the owners, one a line
  ls OWNER [--type go|generic]            the packages of an owner: type, name, latest version, versions, time
  ls OWNER/PACKAGE                        the versions of a package, the newest first; --url or PLINTH_URL names a
                                          server, else it is the data folder`,

  async run(words) {
    const { values, positionals } = parseArgs({ args: words, allowPositionals: true, options: OPTIONS })
    const [word, ...more] = positionals
    if (more.length > 0) throw new WrongUsage('ls takes nothing, OWNER, or OWNER/PACKAGE')
    const named = word?.includes('/') ? parseNamed(word) : undefined
    if (named?.version !== undefined)
      throw new WrongUsage(`ls takes OWNER/PACKAGE; "show ${word}" shows a version`)
    const { json } = values
    const how = { json, type: typeIn(values) }
    const where = whereOf(values)
    if (word === undefined) await listOwners(where, json)
    else if (named) await listVersions(where, named, how)
    else await listPackages(where, word, how)
    return 0
  },
}
