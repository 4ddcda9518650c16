// go's rules on the entries of a module zip (golang.org/x/mod/zip CheckZip, go.dev/ref/mod#zip-files), and a few more,
// marked "ours". Pure: the central directory in, every problem and warning out.

import { quote } from '../errors.js'
import { Collisions } from './collisions.js'
import { fold } from './fold.js'
import { checkFilePath, checkModulePath, checkPathMajor } from './module-path.js'
import { ProblemList } from './problems.js'
import { checkVersion } from './semver.js'

/** x/mod/zip MaxZipFile: bytes of the zip, and of its contents. */
export const MAX_ZIP_BYTES = 500 * 2 ** 20
/** x/mod/zip MaxGoMod and MaxLICENSE: bytes of the root go.mod and of the root LICENSE. */
export const MAX_GO_MOD_BYTES = 16 * 2 ** 20

/**
 * Bytes of one name and of a path in the module cache: the limits of file systems (NAME_MAX, and PATH_MAX less the
 * cache's own path).
 */
const MAX_NAME_BYTES = 255
const MAX_PATH_BYTES = 3500

/** One entry of the central directory, as the archive declares it. Nothing of it is checked yet. */
export type ZipEntry = {
  /** The bytes of the name. */
  name: Buffer
  /** Declared bytes after inflating. */
  size: number
  /** Declared bytes in the archive. */
  packedSize: number
  crc32: number
  /** 0 store, 8 deflate. */
  method: number
  encrypted: boolean
  /** The Unix file mode; 0 when the archive was not made on a Unix. */
  unixMode: number
}

/** The entries of a zip: an array, or what makes each when it is asked for. */
type ZipEntries = Iterable<ZipEntry> & { at: (index: number) => ZipEntry | undefined }

/** `module` and `version` are absent when no entry tells which module this is. */
type ZipVerdict = {
  module?: string
  version?: string
  problems: ProblemList
  warnings: ProblemList
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

function decode(bytes: Buffer): string | undefined {
  try {
    return utf8.decode(bytes)
  } catch {
    return undefined
  }
}

/** The name for a message: bytes that are not UTF-8 show as U+FFFD. */
export const shownName = (entry: ZipEntry): string => entry.name.toString('utf8')

// 'example.com/m@v1.0.0/sub/x.go' → ['example.com/m', 'v1.0.0']; an @ is in neither, a slash not in the version
function modulePrefix(name: string): [module: string, version: string] | undefined {
  const match = /^([^@]+)@([^@/]+)\//.exec(name)
  return match?.[1] !== undefined && match[2] !== undefined ? [match[1], match[2]] : undefined
}

const prefixProblem = (module: string, version: string): string | undefined =>
  checkModulePath(module) ?? checkVersion(version) ?? checkPathMajor(module, version)

/** The module and version of the zip: those of the first entry with a valid prefix, else of the first with any. */
function identify(entries: Iterable<ZipEntry>): [string, string] | undefined {
  let first: [string, string] | undefined
  for (const entry of entries) {
    const prefix = modulePrefix(shownName(entry))
    if (prefix === undefined) continue
    if (prefixProblem(...prefix) === undefined) return prefix
    first ??= prefix
  }
  return first
}

const isClean = (path: string): boolean =>
  path.split('/').every((part) => part !== '' && part !== '.' && part !== '..')

// ours: go checks no lengths, and then cannot extract the file
function lengthProblem(path: string): string | undefined {
  if (Buffer.byteLength(path) > MAX_PATH_BYTES)
    return `file path too long (max size is ${MAX_PATH_BYTES} bytes)`
  const long = path.split('/').some((name) => Buffer.byteLength(name) > MAX_NAME_BYTES)
  return long ? `file name too long (max size is ${MAX_NAME_BYTES} bytes)` : undefined
}

/** Adds a name to those that were seen. Returns why it collides with one of them. */
type AddName = (path: string, folder: boolean) => string | undefined

// The rules on a path below the prefix. `path` has no slash at its end.
function pathProblem(path: string, folder: boolean, add: AddName): string | undefined {
  if (!isClean(path)) return 'file path is not clean'
  const problem = checkFilePath(path) ?? lengthProblem(path) ?? add(path, folder)
  if (problem !== undefined || folder) return problem
  const base = path.slice(path.lastIndexOf('/') + 1)
  if (base === path) return goModCaseProblem(path)
  return isGoMod(base) ? 'go.mod outside the module root: leave the folder of a nested module out' : undefined
}

/** x/mod/zip: `name` is go.mod in some spelling. */
export const isGoMod = (name: string): boolean => fold(name) === 'go.mod'

/** The root go.mod must be spelt so. */
export const goModCaseProblem = (path: string): string | undefined =>
  path !== 'go.mod' && isGoMod(path) ? 'go.mod files must have lowercase names' : undefined

/** The root go.mod and the root LICENSE have a limit of their own. */
export const sizeProblem = (path: string, size: number): string | undefined =>
  (path === 'go.mod' || path === 'LICENSE') && size > MAX_GO_MOD_BYTES
    ? `${path} file too large (max size is ${MAX_GO_MOD_BYTES} bytes)`
    : undefined

// ours: what go could not extract, or what cannot be trusted
function packingProblem(entry: ZipEntry, folder: boolean): string | undefined {
  if (entry.encrypted) return 'encrypted entry: go cannot read it'
  if (folder) return entry.size > 0 ? 'directory entry with content' : undefined
  if (entry.method !== 0 && entry.method !== 8) {
    return `compression method ${entry.method}: go reads store (0) and deflate (8) only`
  }
  if (entry.method === 0 && entry.size !== entry.packedSize) return 'a stored entry whose two sizes differ'
  return undefined
}

const FILE_TYPE = 0o170000
const REGULAR = 0o100000

function modeWarning(entry: ZipEntry): string | undefined {
  const type = entry.unixMode & FILE_TYPE
  return type === 0 || type === REGULAR
    ? undefined
    : 'not a regular file (a symbolic link, say): go extracts it as a plain file that holds its target; ' +
        'leave it out, or put the file itself in'
}

/** An entry's place in the module. `path` is below the prefix, and `''` for the prefix itself. */
type Place = { path: string; folder: boolean }

function placeOf({ name: bytes }: ZipEntry, prefix: string): Place | { rule: string } {
  const name = decode(bytes)
  const hasPrefix = name?.startsWith(prefix) ?? bytes.subarray(0, prefix.length).equals(Buffer.from(prefix))
  if (!hasPrefix) return { rule: `path does not have prefix ${quote(prefix)}` }
  if (name === undefined) return { rule: 'malformed file path: invalid UTF-8' }
  return { path: name.slice(prefix.length), folder: name.endsWith('/') }
}

/** The path without a slash at its end. */
const bareOf = ({ path, folder }: Place): string => (folder ? path.slice(0, -1) : path)

function bareNameOf(entry: ZipEntry | undefined, prefix: string): string {
  const place = entry ? placeOf(entry, prefix) : { rule: '' }
  return 'rule' in place ? '' : bareOf(place)
}

const entryProblem = (entry: ZipEntry, place: Place, add: AddName): string | undefined =>
  (place.path === '' ? undefined : pathProblem(bareOf(place), place.folder, add)) ??
  (place.folder ? undefined : sizeProblem(place.path, entry.size)) ??
  packingProblem(entry, place.folder)

/**
 * Checks a whole central directory. Goes through everything it finds: the sender sees many problems at once.
 * Does not check what needs the contents: that they inflate to the declared sizes, with the right CRC.
 */
export function checkZip(entries: ZipEntries): ZipVerdict {
  const found = { problems: new ProblemList(), warnings: new ProblemList() }
  const [firstEntry] = entries
  if (!firstEntry) {
    found.problems.add({ rule: 'the zip has no entries' }) // ours: x/mod/zip accepts an archive without entries
    return found
  }
  const identity = identify(entries)
  if (identity === undefined) {
    const rule =
      'path does not have prefix "{module}@{version}/", which every entry of a module zip starts with'
    found.problems.add({ name: shownName(firstEntry), rule })
    return found
  }
  const [module, version] = identity
  const prefix = `${module}@${version}/`
  const wrongPrefix = prefixProblem(module, version)
  if (wrongPrefix !== undefined) found.problems.add({ name: prefix, rule: wrongPrefix })
  checkEntries(entries, prefix, found)
  return { module, version, ...found }
}

function checkEntries(
  entries: ZipEntries,
  prefix: string,
  { problems, warnings }: Pick<ZipVerdict, 'problems' | 'warnings'>,
): void {
  const collisions = new Collisions((index) => bareNameOf(entries.at(index), prefix))
  let total = 0
  let folders = 0
  let index = -1
  const add: AddName = (path, folder) => collisions.add(path, folder, index)
  for (const entry of entries) {
    index++
    const place = placeOf(entry, prefix)
    const rule = 'rule' in place ? place.rule : entryProblem(entry, place, add)
    if ('folder' in place && place.folder) folders++
    if (rule !== undefined) problems.add({ name: shownName(entry), rule })
    else if ('folder' in place && !place.folder) {
      total += entry.size
      const warning = modeWarning(entry)
      if (warning !== undefined) warnings.add({ name: shownName(entry), rule: warning })
    }
  }
  if (total > MAX_ZIP_BYTES)
    problems.add({
      rule: `total uncompressed size of module contents too large (max size is ${MAX_ZIP_BYTES} bytes)`,
    })
  if (folders > 0) warnings.add({ rule: folderWarning(folders) })
}

// Entries of folders count in the zip's hash and not in the hash of the extracted files.
const folderWarning = (count: number): string =>
  `${count} directory ${count === 1 ? 'entry' : 'entries'}: ` +
  '"go mod verify" fails for everyone who uses this version; ' +
  `remove them with: zip -d m.zip '*/' (zip -D never writes them)`
