// One change of a package version, as the journal's entries and the records of uploads have it. Pure.

import type { Sum } from '../digest.js'
import {
  genericFile,
  genericVersionFolder,
  versionFile,
  type GenericVersion,
  type Module,
  type ModuleVersion,
} from '../layout.js'
import { parseJson } from '../store/parse-json.js'

type Op = { op: 'publish' | 'delete' }

/** What a publish has of its upload: SHA-256, size, and the time of publication in ISO 8601 (whole seconds, UTC). */
type Uploaded = Partial<Sum & { time: string }>

/** A change of a module version. */
export type ModuleOperation = Op & ModuleVersion & Uploaded
/** A change of one file, or the delete of a whole version with the `files` that it had. */
export type FileOperation = Op & GenericVersion & Uploaded & ({ file: string } | { files: string[] })

export type Operation = ModuleOperation | FileOperation

/** Changes of one key run one after the other: a module of an owner, or a generic package of an owner. */
export const queueKey = (at: { owner: string } & ({ module: string } | { name: string })): string =>
  'name' in at ? `generic ${at.owner} ${at.name}` : `go ${at.owner} ${at.module}`

/** The package of a {@link queueKey}; `undefined` for any other text. */
export function parseQueueKey(key: string): Module | Omit<GenericVersion, 'version'> | undefined {
  const [, kind, owner = '', name = ''] = /^(go|generic) ([^ ]+) (.+)$/s.exec(key) ?? []
  if (kind === undefined) return undefined
  return kind === 'go' ? { owner, module: name } : { owner, name }
}

/** Whether a {@link queueKey} is of this owner. */
export const isOfOwner = (key: string, owner: string): boolean => key.split(' ', 2)[1] === owner

/** The uploaded file, or the folder of a whole generic version. */
export function pathOf(operation: Operation): string {
  if ('module' in operation) return versionFile(operation, 'zip')
  return 'file' in operation ? genericFile(operation, operation.file) : genericVersionFolder(operation)
}

/** Under which the hashes of a version are kept, see hashesFile: the module's zip, or the generic version's folder. */
export const versionPathOf = (operation: Operation): string =>
  'module' in operation ? versionFile(operation, 'zip') : genericVersionFolder(operation)

const areStrings = (values: unknown[]): values is string[] =>
  values.every((value) => typeof value === 'string')

/** `false` for an entry that a crash cut off. */
export const isWhole = (text: string): boolean => parseJson(text) !== undefined

/** The operation in a file's text; `undefined` for any other text. */
export function parseOperation(text: string): Operation | undefined {
  const value = parseJson(text)
  if (typeof value !== 'object' || value === null) return undefined
  const { op, owner, module, name, version, file, files, ...of } = value as Record<string, unknown>
  if (op !== 'publish' && op !== 'delete') return undefined
  if (typeof owner !== 'string' || typeof version !== 'string') return undefined
  const uploaded = parseUploaded(of)
  if (typeof module === 'string') return { op, owner, module, version, ...uploaded }
  if (typeof name !== 'string') return undefined
  if (typeof file === 'string') return { op, owner, name, version, file, ...uploaded }
  return Array.isArray(files) && areStrings(files) ? { op, owner, name, version, files } : undefined
}

// Entries and records of earlier versions have no time.
function parseUploaded({ sha256, size, time }: Record<string, unknown>): Uploaded {
  if (typeof sha256 !== 'string' || typeof size !== 'number') return {}
  const isTime = typeof time === 'string' && !Number.isNaN(Date.parse(time))
  return { sha256, size, ...(isTime && { time }) }
}
