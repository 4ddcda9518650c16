// What a place in the inbox means. Pure: paths in, places out.
//
//   inbox/{owner}/go/{any name}.zip
//   inbox/{owner}/generic/{name}/{version}/{file}
//   inbox/rejected/…                               ours: nobody can be called that here

import { type GenericVersion } from '../layout.js'
import { isOwnerName } from '../access/rights.js'

/** Where a file is to be published. */
export type Place =
  { kind: 'module'; owner: string } | { kind: 'file'; owner: string; at: GenericVersion; file: string }

/** Where refused files go, below the inbox. */
export const REJECTED = 'rejected'

const TEMPORARY = /^\.|~$|\.(?:part|partial|filepart|tmp|temp|swp|crdownload)$/i

/**
 * Names of files still on their way: rsync's `.name.Xy12Zq`, `name.part`, `name.filepart` and such. They are left alone
 * until they are renamed.
 */
export const isTemporary = (name: string): boolean => TEMPORARY.test(name)

const EXPECTED =
  'inbox/{owner}/go/{any name}.zip or inbox/{owner}/generic/{name}/{version}/{file} is expected'

/** `path` is relative to the inbox. */
export function placeOf(path: string): Place | { wrong: string } {
  const [owner = '', registry = '', ...rest] = path.split('/')
  const wrong = (what: string): { wrong: string } => ({ wrong: `${what}: ${EXPECTED}` })
  if (registry === '' || rest.length === 0) return wrong('the wrong place in the inbox')
  if (!isOwnerName(owner)) return wrong(`${JSON.stringify(owner)} can be no owner`)
  if (registry === 'go') {
    if (rest.length > 1) return wrong('module zips stand in the folder go itself')
    return rest[0]?.endsWith('.zip') ? { kind: 'module', owner } : wrong('a module comes as a .zip')
  }
  const [name, version, file] = rest
  if (registry !== 'generic') return wrong(`there is no registry ${JSON.stringify(registry)}`)
  if (rest.length > 3) return wrong('too many folders')
  if (name === undefined || version === undefined || file === undefined) return wrong('a folder is missing')
  return { kind: 'file', owner, at: { owner, name, version }, file }
}
