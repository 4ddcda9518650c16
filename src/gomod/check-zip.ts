// What go asks of the entries of a module zip (golang.org/x/mod/zip CheckZip, go.dev/ref/mod#zip-files), and a few
// things that we ask on top, marked "ours". Pure: the central directory in, every problem and warning out.

import { Collisions } from './collisions.js'
import { fold } from './fold.js'
import { checkFilePath, checkModulePath, checkPathMajor } from './module-path.js'
import type { Problem } from './problems.js'
import { checkVersion } from './semver.js'
import { quote } from '../errors.js'

/** x/mod/zip MaxZipFile: bytes of the zip, and of its contents. */
export const MAX_ZIP_BYTES = 500 * 2 ** 20
/** x/mod/zip MaxGoMod and MaxLICENSE: bytes of the root go.mod and of the root LICENSE. */
export const MAX_GO_MOD_BYTES = 16 * 2 ** 20

/** Bytes of one name and of a path in the module cache: what file systems take (NAME_MAX, and PATH_MAX less the cache's own path). */
const MAX_NAME_BYTES = 255
const MAX_PATH_BYTES = 3500

/** One entry of the central directory: what it declares, nothing of it believed yet. */
export type ZipEntry = {
  /** The name's own bytes. */
  name: Buffer
  /** Declared bytes after inflating. */
  size: number
  /** Declared bytes in the archive. */
  packedSize: number
  crc32: number
  /** 0 store, 8 deflate. */
  method: number
  encrypted: boolean
  /** The Unix file mode, where the archive was made on a Unix; else 0. */
  unixMode: number
}

/** `prefix` is `{module}@{version}/`; all three are absent when no entry tells which module this is. */
export type ZipVerdict = {
  module?: string
  version?: string
  problems: Problem[]
  warnings: Problem[]
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

function decode(bytes: Buffer): string | undefined {
  try {
    return utf8.decode(bytes)
  } catch {
    return undefined
  }
}

/** The name for a reader: bytes that are no UTF-8 show as U+FFFD. */
export const shownName = (entry: ZipEntry): string => entry.name.toString('utf8')

// 'example.com/m@v1.0.0/sub/x.go' → ['example.com/m', 'v1.0.0']; neither may hold an @, nor a version a slash
function modulePrefix(name: string): [module: string, version: string] | undefined {
  const match = /^([^@]+)@([^@/]+)\//.exec(name)
  return match?.[1] !== undefined && match[2] !== undefined ? [match[1], match[2]] : undefined
}

const prefixProblem = (module: string, version: string): string | undefined =>
  checkModulePath(module) ?? checkVersion(version) ?? checkPathMajor(module, version)

/** Which module the zip is: that of the first entry whose prefix is right, else of the first that has any. */
function identify(names: readonly string[]): [string, string] | undefined {
  let first: [string, string] | undefined
  for (const name of names) {
    const prefix = modulePrefix(name)
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

// The rules on the path below the prefix; `path` has no trailing slash.
function pathProblem(path: string, folder: boolean, collisions: Collisions): string | undefined {
  if (!isClean(path)) return 'file path is not clean'
  const problem = checkFilePath(path) ?? lengthProblem(path) ?? collisions.add(path, folder)
  if (problem !== undefined || folder) return problem
  const base = path.slice(path.lastIndexOf('/') + 1)
  if (fold(base) !== fold('go.mod')) return undefined
  if (base !== path) return 'go.mod outside the module root: leave the folder of a nested module out'
  return base === 'go.mod' ? undefined : 'go.mod files must have lowercase names'
}

function sizeProblem(path: string, size: number): string | undefined {
  if ((path === 'go.mod' || path === 'LICENSE') && size > MAX_GO_MOD_BYTES) {
    return `${path} file too large (max size is ${MAX_GO_MOD_BYTES} bytes)`
  }
  return undefined
}

// ours: what the reader could not extract, or not trust
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
    : 'not a regular file (a symbolic link, say): go extracts it as a plain file that holds its target; leave it out, or put the file itself in'
}

/**
 * Checks a whole central directory. Collects everything it finds: the sender sees all problems at once.
 * Not checked here, since it needs the contents: that they inflate to what is declared, with the right CRC.
 */
export function checkZip(entries: readonly ZipEntry[]): ZipVerdict {
  const problems: Problem[] = []
  const warnings: Problem[] = []
  // ours: x/mod/zip passes an archive without entries
  if (entries.length === 0) return { problems: [{ rule: 'the zip has no entries' }], warnings }
  const names = entries.map((entry) => decode(entry.name))
  const identity = identify(entries.map(shownName))
  if (identity === undefined) {
    problems.push({
      ...(entries[0] && { name: shownName(entries[0]) }),
      rule: 'path does not have prefix "{module}@{version}/", which every entry of a module zip starts with',
    })
    return { problems, warnings }
  }
  const [module, version] = identity
  const prefix = `${module}@${version}/`
  const wrongPrefix = prefixProblem(module, version)
  if (wrongPrefix !== undefined) problems.push({ name: prefix, rule: wrongPrefix })

  const collisions = new Collisions()
  let total = 0
  let folders = 0
  entries.forEach((entry, index) => {
    const name = names[index]
    const problem = (rule: string): void => void problems.push({ name: name ?? shownName(entry), rule })
    if (
      name === undefined
        ? !entry.name.subarray(0, prefix.length).equals(Buffer.from(prefix))
        : !name.startsWith(prefix)
    ) {
      return problem(`path does not have prefix ${quote(prefix)}`)
    }
    if (name === undefined) return problem('malformed file path: invalid UTF-8')
    const folder = name.endsWith('/')
    if (folder) folders++
    const path = name.slice(prefix.length, folder ? -1 : undefined)
    const found =
      (name === prefix ? undefined : pathProblem(path, folder, collisions)) ??
      sizeProblem(path, folder ? 0 : entry.size) ??
      packingProblem(entry, folder)
    if (found !== undefined) return problem(found)
    if (folder) return
    total += entry.size
    const warning = modeWarning(entry)
    if (warning !== undefined) warnings.push({ name, rule: warning })
  })
  if (total > MAX_ZIP_BYTES) {
    problems.push({
      rule: `total uncompressed size of module contents too large (max size is ${MAX_ZIP_BYTES} bytes)`,
    })
  }
  if (folders > 0) warnings.push({ rule: folderWarning(folders) })
  return { module, version, problems, warnings }
}

// They count in the zip's hash and not in the hash of the extracted files.
const folderWarning = (count: number): string =>
  `${count} directory ${count === 1 ? 'entry' : 'entries'}: "go mod verify" fails for everyone who uses this version; ` +
  `remove them with: zip -d m.zip '*/' (zip -D never writes them)`
