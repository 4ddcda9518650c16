// What is kept of a module version, or a generic file, that was deleted from an immutable owner. Pure.

import { isOwnerName } from '../access/rights.js'
import { genericFile, versionFile, type GenericVersion, type ModuleVersion } from '../layout.js'
import { parseJson } from '../store/parse-json.js'

/** The two hashes of go.sum, `h1:…`: of the zip and of the go.mod. Zips that hold the same files have the same. */
export type ModuleSums = { h1: string; goModH1: string }

/** `time` is that of the delete, in ISO 8601. */
type ModuleTombstone = ModuleVersion & ModuleSums & { time: string }
/** `sha256` is in hex. */
type FileTombstone = GenericVersion & { file: string; sha256: string; time: string }

export type Tombstone = ModuleTombstone | FileTombstone

/** The path that the uploaded file had. */
export const buriedPath = (tombstone: Tombstone): string =>
  'module' in tombstone ? versionFile(tombstone, 'zip') : genericFile(tombstone, tombstone.file)

const isText = (value: unknown): value is string => typeof value === 'string' && value !== ''
const isH1 = (value: unknown): value is string => isText(value) && /^h1:[A-Za-z0-9+/]{43}=$/.test(value)
const isTime = (value: unknown): value is string => isText(value) && !Number.isNaN(Date.parse(value))

/** The hashes of go.sum in a text that has them in `h1` and `goModH1`: a tombstone, or the facts of a version. */
export function parseModuleSums(text: string): ModuleSums | undefined {
  const { h1, goModH1 } = Object(parseJson(text)) as Record<string, unknown>
  return isH1(h1) && isH1(goModH1) ? { h1, goModH1 } : undefined
}

/** The tombstone in a file's text; `undefined` for any other text. */
export function parseTombstone(text: string): Tombstone | undefined {
  const { owner, module, name, version, file, sha256, time } = Object(parseJson(text)) as Record<
    string,
    unknown
  >
  if (!isText(owner) || !isOwnerName(owner) || !isText(version) || !isTime(time)) return undefined
  const sums = parseModuleSums(text)
  if (isText(module)) return sums && { owner, module, version, ...sums, time }
  if (!isText(name) || !isText(file) || !isText(sha256) || !/^[0-9a-f]{64}$/.test(sha256)) return undefined
  return { owner, name, version, file, sha256, time }
}

export const tombstoneText = (tombstone: Tombstone): string => `${JSON.stringify(tombstone)}\n`
