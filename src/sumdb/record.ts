// A record of a checksum database: the two lines of go.sum that belong to a module version. Pure.

/** The `h1:…` of a version's zip, and of its go.mod. */
export type GoSums = { zip: string; mod: string }

/** What a record says. */
export type SumRecord = { module: string; version: string; sums: GoSums }

/** The longest path of a module and a version have 3,000 bytes; a record names both twice. */
export const MAX_RECORD_BYTES = 16 * 1024

const HASH = /^h1:[A-Za-z0-9+/]{43}=$/

// ({corp.example/m, v1.0.0}, …) → corp.example/m v1.0.0 h1:…⏎corp.example/m v1.0.0/go.mod h1:…⏎
/** The text of a record, as sum.golang.org has it. */
export const recordText = (
  { module, version }: { module: string; version: string },
  { zip, mod }: GoSums,
): string => `${module} ${version} ${zip}\n${module} ${version}/go.mod ${mod}\n`

/** Reads the text of a record; `undefined` for any other text. */
export function parseRecord(text: string): SumRecord | undefined {
  const [zipLine = '', modLine = '', end, ...more] = text.split('\n')
  const [module = '', version = '', zip = '', ...others] = zipLine.split(' ')
  if (end !== '' || more.length > 0 || others.length > 0 || !HASH.test(zip)) return undefined
  const mod = modLine.slice(`${module} ${version}/go.mod `.length)
  if (!HASH.test(mod) || module === '' || version === '') return undefined
  const record = { module, version, sums: { zip, mod } }
  return recordText(record, record.sums) === text ? record : undefined
}

/** The text of a file `lookup/…`: the number of the record, the record, and a signed head of a log that has it. */
export const lookupText = (id: number, record: string, head: string): string => `${id}\n${record}\n${head}`

/** Takes a {@link lookupText} apart; `undefined` for any other text. */
export function parseLookup(text: string): { id: number; record: string; head: string } | undefined {
  const [, id, record, head] = /^(\d{1,15})\n([^\n]+\n[^\n]+\n)\n(.+)$/s.exec(text) ?? []
  if (id === undefined || record === undefined || head === undefined) return undefined
  return String(Number(id)) === id ? { id: Number(id), record, head } : undefined
}
