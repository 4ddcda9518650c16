// Where a file of the inbox is to be published, by its path. Pure.
//
//   inbox/{owner}/go/{any name}.zip
//   inbox/{owner}/generic/{name}/{version}/{file}
//   inbox/rejected/…                               refused files: no owner can have this name here

import { isOwnerName } from '../access/rights.js'
import { quote } from '../errors.js'
import { type GenericVersion } from '../layout.js'

/** Where a file is to be published. */
export type Place =
  { kind: 'module'; owner: string } | { kind: 'file'; owner: string; at: GenericVersion; file: string }

/** The folder for refused files, below the inbox. */
export const REJECTED = 'rejected'

const TEMPORARY = /^\.|~$|\.(?:part|partial|filepart|tmp|temp|swp|crdownload)$/i

/**
 * Whether a file is still being copied, by its name: rsync's `.name.Xy12Zq`, `name.part`, `name.filepart` and such.
 * These files are left alone until they are renamed.
 */
export const isTemporary = (name: string): boolean => TEMPORARY.test(name)

const EXPECTED =
  'inbox/{owner}/go/{any name}.zip or inbox/{owner}/generic/{name}/{version}/{file} is expected'

/** `path` is relative to the inbox. */
export function placeOf(path: string): Place | { wrong: string } {
  const [owner = '', registry = '', ...rest] = path.split('/')
  const wrong = (what: string): { wrong: string } => ({ wrong: `${what}: ${EXPECTED}` })
  if (registry === '' || rest.length === 0) return wrong('the wrong place in the inbox')
  if (!isOwnerName(owner)) return wrong(`${quote(owner)} is not a valid owner name`)
  if (registry === 'go') {
    if (rest.length > 1) return wrong('a module zip belongs directly in the folder go')
    return rest[0]?.endsWith('.zip') ? { kind: 'module', owner } : wrong('a module comes as a .zip')
  }
  const [name, version, file] = rest
  if (registry !== 'generic') return wrong(`there is no registry ${quote(registry)}`)
  if (rest.length > 3) return wrong('too many folders')
  if (name === undefined || version === undefined || file === undefined) return wrong('a folder is missing')
  return { kind: 'file', owner, at: { owner, name, version }, file }
}
