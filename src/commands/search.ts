// `plinth search`: the packages whose name or synopsis has a text in it.

import { parseArgs } from 'node:util'
import { WrongUsage, type Command } from './command.js'
import { jsonLines, print, printTable } from './print.js'
import { catalogueOf, mustHaveCatalogue, ownersAt, typeIn, TYPE_OPTION } from './published.js'
import { namesServer, whereOf, WHERE_OPTIONS } from './where.js'

const OPTIONS = {
  ...WHERE_OPTIONS,
  ...TYPE_OPTION,
  owner: { type: 'string' },
  json: { type: 'boolean', default: false },
} as const

export const search: Command = {
  name: 'search',
  options: Object.keys(OPTIONS),
  anywhere: namesServer,
  usage: `  search TEXT [--owner OWNER] [--type go|generic] [--url URL] [--json]
                                          the packages whose name or synopsis has the text, in any case of
                                          letters; exit code 1 when there is none`,

  async run(words) {
    const { values, positionals } = parseArgs({ args: words, allowPositionals: true, options: OPTIONS })
    const [text, ...more] = positionals
    if (text === undefined || more.length > 0) throw new WrongUsage('search takes one TEXT')
    const { json, owner } = values
    const type = typeIn(values)
    const where = whereOf(values)
    const meant = text.toLowerCase()
    const owners = owner === undefined ? (await ownersAt(where)).map(({ name }) => name) : [owner]
    const found = []
    for (const each of owners) {
      const catalogue =
        owner === undefined ? ((await catalogueOf(where, each)) ?? []) : await mustHaveCatalogue(where, each)
      for (const entry of catalogue)
        if (
          (type ?? entry.kind) === entry.kind &&
          `${entry.name}\n${entry.synopsis ?? ''}`.toLowerCase().includes(meant)
        )
          found.push({ owner: each, ...entry })
    }
    const rows = found.map((entry) => [
      entry.kind,
      `${entry.owner}/${entry.name}`,
      entry.latest,
      entry.synopsis ?? '',
    ])
    if (json) print(jsonLines(found))
    else printTable(rows)
    return found.length > 0 ? 0 : 1
  },
}
