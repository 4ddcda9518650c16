// Module paths and file paths inside a module, as golang.org/x/mod/module checks them (CheckPath, CheckFilePath,
// SplitPathVersion, CheckPathMajor) and escapes them (EscapePath). A check returns the problem, or undefined.

import { quote } from '../errors.js'
import { isLetter } from './fold.js'
import { parseVersion } from './semver.js'

/** Module paths and file paths have different rules for an element (x/mod/module pathKind). */
type PathKind = 'module' | 'file'

const MODULE_CHAR = /^[-._~0-9A-Za-z]$/u
const FILE_CHAR = /^[-!#$%&()+,.=@[\]^_{}~ 0-9A-Za-z]$/u

const charAllowed = (char: string, kind: PathKind): boolean =>
  kind === 'module' ? MODULE_CHAR.test(char) : char < '\u0080' ? FILE_CHAR.test(char) : isLetter(char)

// https://learn.microsoft.com/windows/win32/fileio/naming-a-file; x/mod/module badWindowsNames.
// No `u` flag beside `i`: strings.EqualFold of these ASCII names has no other equals.
const WINDOWS_DEVICE = /^(?:con|prn|aux|nul|com[1-9]|lpt[1-9])$/i

function checkElement(element: string, kind: PathKind): string | undefined {
  if (element === '') return 'empty path element'
  if (/^\.+$/.test(element)) return `invalid path element ${quote(element)}`
  if (kind === 'module' && element.startsWith('.')) return 'leading dot in path element'
  if (element.endsWith('.')) return 'trailing dot in path element'
  for (const char of element) if (!charAllowed(char, kind)) return `invalid char ${quote(char)}`
  const beforeDot = element.split('.', 1)[0] ?? ''
  if (WINDOWS_DEVICE.test(beforeDot))
    return `${quote(beforeDot)} disallowed as path element component on Windows`
  if (kind === 'module' && /~[0-9]+$/.test(beforeDot)) return 'trailing tilde and digits in path element'
  return undefined
}

function checkElements(path: string, kind: PathKind): string | undefined {
  if (path === '') return 'empty string'
  if (kind === 'module' && path.startsWith('-')) return 'leading dash'
  if (path.includes('//')) return 'double slash'
  if (path.endsWith('/')) return 'trailing slash'
  for (const element of path.split('/')) {
    const problem = checkElement(element, kind)
    if (problem !== undefined) return problem
  }
  return undefined
}

/**
 * Splits off the major version suffix (x/mod/module SplitPathVersion):
 * `example.com/m/v2` → `/v2`, `gopkg.in/yaml.v3` → `.v3`, `example.com/m` → ``.
 * `undefined` when the last element looks like a version, but not one that a module path may end in.
 */
export function pathMajor(path: string): string | undefined {
  if (path.startsWith('gopkg.in/')) return /\.v(?:0|[1-9][0-9]*(?:-unstable)?)$/.exec(path)?.[0]
  const versionLike = /\/v[0-9.]+$/.exec(path)?.[0]
  if (versionLike === undefined) return ''
  return /^\/v(?:[2-9]|[1-9][0-9]+)$/.test(versionLike) ? versionLike : undefined
}

function modulePathProblem(path: string): string | undefined {
  const problem = checkElements(path, 'module')
  if (problem !== undefined) return problem
  const first = path.split('/', 1)[0] ?? ''
  if (!first.includes('.')) return 'missing dot in first path element'
  for (const char of first)
    if (!/[-.0-9a-z]/.test(char)) return `invalid char ${quote(char)} in first path element`
  return pathMajor(path) === undefined ? 'invalid version' : undefined
}

/** x/mod/module CheckPath: `example.com/BurntSushi/toml/v2`. */
export function checkModulePath(path: string): string | undefined {
  const problem = modulePathProblem(path)
  return problem === undefined ? undefined : `malformed module path ${quote(path)}: ${problem}`
}

/** x/mod/module CheckFilePath: a slash-separated path inside a module zip, without its `module@version/`. */
export function checkFilePath(path: string): string | undefined {
  const problem = checkElements(path, 'file')
  return problem === undefined ? undefined : `malformed file path ${quote(path)}: ${problem}`
}

/** x/mod/module CheckPathMajor: v0 and v1 have no suffix, v2 and up need `/v2` (or `+incompatible`). */
export function checkPathMajor(path: string, version: string): string | undefined {
  const suffix = pathMajor(path)?.replace(/-unstable$/, '')
  const parsed = parseVersion(version)
  if (suffix === undefined || parsed === undefined) return `${path}@${version}: invalid version`
  // x/mod/module: an old bug made v0.0.0 pseudo-versions for gopkg.in/….v1, and they are in go.mod files
  if (suffix === '.v1' && version.startsWith('v0.0.0-')) return undefined
  const major = `v${parsed.major}`
  if (suffix === '' ? major === 'v0' || major === 'v1' || parsed.incompatible : suffix.slice(1) === major) {
    return undefined
  }
  const expected = suffix === '' ? 'v0 or v1' : suffix.slice(1)
  return `${path}@${version}: invalid version: should be ${expected}, not ${major}`
}

// `A` → `!a`: trees are also served from file systems that fold case (x/mod/module EscapePath, EscapeVersion)
// 'github.com/BurntSushi/toml' → 'github.com/!burnt!sushi/toml'
export const escapePath = (path: string): string =>
  path.replace(/[A-Z]/g, (letter) => `!${letter.toLowerCase()}`)

/** The reverse of {@link escapePath}; `undefined` for a text that no path escapes to (`A`, `!A`, a lone `!`). */
export function unescapePath(escaped: string): string | undefined {
  if (/[A-Z]/.test(escaped) || /!(?![a-z])/.test(escaped)) return undefined
  return escaped.replace(/!([a-z])/g, (_, letter: string) => letter.toUpperCase())
}
