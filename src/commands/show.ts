// `plinth show`: what is known of a package or of one version.

import { parseArgs } from 'node:util'
import { readGenericFacts, readModuleFacts, type PackageName } from '../packages/published.js'
import type { GenericIndex, GenericVersionFacts, ModuleIndex, ModuleVersionFacts } from '../views/facts.js'
import { WrongUsage, type Command } from './command.js'
import { jsonLines, print, printTable } from './print.js'
import {
  findPackage,
  mustBeVersion,
  noVersion,
  parseNamed,
  treeAt,
  typeIn,
  TYPE_OPTION,
} from './published.js'
import { namesServer, whereOf, WHERE_OPTIONS, type Where } from './where.js'

const OPTIONS = { ...WHERE_OPTIONS, ...TYPE_OPTION, json: { type: 'boolean', default: false } } as const

type Shown = ModuleIndex | ModuleVersionFacts | GenericIndex | GenericVersionFacts

/** Names of fields and their values; a field that has several values has a row for each. */
function rowsOf(shown: Shown): string[][] {
  const rows: string[][] = []
  const row = (name: string, value: string | number | undefined): void => {
    if (value !== undefined && value !== '') rows.push([name, String(value)])
  }
  row('type', shown.kind)
  row('owner', shown.owner)
  row('name', shown.kind === 'go' ? shown.module : shown.name)
  if ('version' in shown) {
    row('version', shown.version)
    row('published', shown.time)
    row('size', `${shown.size} bytes`)
  } else {
    row('latest', shown.latest)
    row('updated', shown.updated)
    row('versions', shown.count)
  }
  if (shown.kind === 'go') moduleRows(shown, row)
  else if ('files' in shown)
    for (const { file, sha256, size } of shown.files) row('file', `${sha256} ${size} ${file}`)
  return rows
}

function moduleRows(
  shown: ModuleIndex | ModuleVersionFacts,
  row: (name: string, value: string | undefined) => void,
): void {
  if ('h1' in shown) {
    row('h1', shown.h1)
    row('go.mod h1', shown.goModH1)
    row('sha256', shown.sha256)
  }
  row('deprecated', shown.deprecated)
  row('go', shown.go)
  for (const { file, spdx } of shown.licences ?? []) row('licence', spdx ?? file)
  for (const { path, version } of (shown.requires ?? []).filter(({ indirect }) => !indirect))
    row('requires', `${path} ${version}`)
  for (const { path, synopsis } of shown.packages ?? [])
    row('package', synopsis === undefined ? path : `${path}: ${synopsis}`)
  for (const { low, high, rationale } of 'retracted' in shown ? shown.retracted : [])
    row('retracted', `${low === high ? low : `${low} to ${high}`}${rationale && `: ${rationale}`}`)
}

async function factsOf(
  where: Where,
  at: PackageName,
  owner: string,
  version: string,
): Promise<ModuleVersionFacts | GenericVersionFacts> {
  mustBeVersion(at, owner, version)
  const { kind, name } = at
  const tree = treeAt(where)
  const facts =
    kind === 'go'
      ? await readModuleFacts(tree, { owner, module: name, version })
      : await readGenericFacts(tree, { owner, name, version })
  if (!facts) throw noVersion(`${owner}/${name}`, version)
  return facts
}

export const show: Command = {
  name: 'show',
  options: Object.keys(OPTIONS),
  anywhere: namesServer,
  usage: `  show OWNER/PACKAGE[@VERSION] [--type go|generic] [--url URL] [--json]
                                          what is known of a package, or of one version: hashes, requirements,
                                          files with their SHA-256`,

  async run(words) {
    const { values, positionals } = parseArgs({ args: words, allowPositionals: true, options: OPTIONS })
    const [word, ...more] = positionals
    if (word === undefined || more.length > 0)
      throw new WrongUsage('show takes OWNER/PACKAGE or OWNER/PACKAGE@VERSION')
    const named = parseNamed(word)
    const type = typeIn(values)
    const where = whereOf(values)
    const found = await findPackage(where, named, type)
    const shown =
      named.version === undefined ? found.index : await factsOf(where, found, named.owner, named.version)
    if (values.json) print(jsonLines(shown, 2))
    else printTable(rowsOf(shown))
    return 0
  },
}
