// An owner's packages together: the catalogue, a line for each package. Pure.

import type { CatalogueEntry, GenericIndex, ModuleIndex } from './facts.js'
import { parseRecord } from './parse-record.js'

/** What the catalogue says of a module. The synopsis is that of the package in the module's root. */
export function entryOfModule({
  module,
  count,
  latest,
  updated,
  packages,
  deprecated,
}: ModuleIndex): CatalogueEntry {
  const root = packages?.find(({ path }) => path === module) ?? packages?.[0]
  return {
    kind: 'go',
    name: module,
    versions: count,
    latest,
    updated,
    ...(root?.synopsis !== undefined && { synopsis: root.synopsis }),
    ...(deprecated !== undefined && { deprecated: true }),
  }
}

export const entryOfPackage = ({ name, count, latest, updated }: GenericIndex): CatalogueEntry => ({
  kind: 'generic',
  name,
  versions: count,
  latest,
  updated,
})

// {kind: 'go', name: 'example.com/m'} → go example.com/m
/** The name of a package among all of its owner. Catalogues are in the order of these. */
export const packageKey = ({ kind, name }: Pick<CatalogueEntry, 'kind' | 'name'>): string => `${kind} ${name}`

// {"format":1,"owner":"team","packages":[⏎{"kind":"go",…},⏎{"kind":"generic",…}⏎]}
/** The JSON of a catalogue: a line for each package, in the order of the keys. */
export const catalogueText = (owner: string, entries: readonly CatalogueEntry[]): string =>
  `{"format":1,"owner":${JSON.stringify(owner)},"packages":[\n${entries
    .map((entry) => JSON.stringify(entry))
    .join(',\n')}\n]}\n`

/** The entries in the JSON of a catalogue; `undefined` for any other text. */
export function parseCatalogue(text: string): CatalogueEntry[] | undefined {
  const { format, packages } = parseRecord(text)
  if (format !== 1 || !Array.isArray(packages)) return undefined
  const entries = packages as Partial<CatalogueEntry>[]
  const isRight = entries.every(
    ({ kind, name, latest, updated }) =>
      (kind === 'go' || kind === 'generic') &&
      [name, latest, updated].every((field) => typeof field === 'string'),
  )
  return isRight ? (entries as CatalogueEntry[]) : undefined
}

/** The most recently updated first; those of the same time stay in their order. */
export const newestFirst = (entries: readonly CatalogueEntry[]): CatalogueEntry[] =>
  entries.toSorted((a, b) => (a.updated === b.updated ? 0 : a.updated < b.updated ? 1 : -1))
