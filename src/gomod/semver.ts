// Versions as the go command orders and accepts them: golang.org/x/mod/semver, module.CanonicalVersion and
// module.IsPseudoVersion. Not npm's semver: a leading `v`, `+incompatible` as the only build, numbers of any size.

import { quote } from '../errors.js'

/** The parts of a canonical version. `pre` is without its dash; `incompatible` means `+incompatible`. */
type Version = {
  major: string
  minor: string
  patch: string
  pre: string[]
  incompatible: boolean
}

const NUMBER = /^(?:0|[1-9][0-9]*)$/
const IDENTIFIER = /^[0-9A-Za-z-]+$/
const ALL_DIGITS = /^[0-9]+$/

/**
 * Parses a canonical version: `vMAJOR.MINOR.PATCH[-pre][+incompatible]`.
 * Returns `undefined` for everything else, `v1`, `v1.2` and `v1.0.0+meta` included.
 */
export function parseVersion(text: string): Version | undefined {
  if (!text.startsWith('v')) return undefined
  const incompatible = text.endsWith('+incompatible')
  const rest = incompatible ? text.slice(1, -'+incompatible'.length) : text.slice(1)
  const dash = rest.indexOf('-')
  const core = (dash < 0 ? rest : rest.slice(0, dash)).split('.')
  const pre = dash < 0 ? [] : rest.slice(dash + 1).split('.')
  const [major, minor, patch] = core
  if (core.length !== 3 || major === undefined || minor === undefined || patch === undefined) return undefined
  if (!core.every((part) => NUMBER.test(part))) return undefined
  if (!pre.every((part) => IDENTIFIER.test(part) && (!ALL_DIGITS.test(part) || NUMBER.test(part))))
    return undefined
  return { major, minor, patch, pre, incompatible }
}

const IDENTIFIERS = /^[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*$/

// 'v1.2' → v1.2.0, 'v1.2.3+meta' → v1.2.3
/** x/mod/module CanonicalVersion; `undefined` for what is no version, with numbers left out or not. */
export function canonicalVersion(text: string): string | undefined {
  const plus = text.indexOf('+')
  const core = plus < 0 ? text : text.slice(0, plus)
  const isShort = /^v[0-9]+(?:\.[0-9]+)?$/.test(core)
  if (plus >= 0 && (isShort || !IDENTIFIERS.test(text.slice(plus + 1)))) return undefined
  const version = isShort ? `${core}${core.includes('.') ? '.0' : '.0.0'}` : core
  if (parseVersion(version) === undefined) return undefined
  return text.endsWith('+incompatible') ? `${version}+incompatible` : version
}

/** Why `text` is not a version that a module can be published with, or `undefined` when it is one. */
export const checkVersion = (text: string): string | undefined =>
  parseVersion(text) === undefined
    ? `version ${quote(text)} is not canonical: it must read vMAJOR.MINOR.PATCH, ` +
      'with an optional -prerelease and no +build but +incompatible'
    : undefined

// Numbers have no upper bound in semver: the longer one is the larger one.
const compareNumbers = (a: string, b: string): number => a.length - b.length || (a < b ? -1 : a > b ? 1 : 0)

function comparePre(a: readonly string[], b: readonly string[]): number {
  if (a.length === 0 || b.length === 0) return b.length - a.length // a release is above its pre-releases
  for (let i = 0; i < Math.min(a.length, b.length); i++) {
    const x = a[i] ?? ''
    const y = b[i] ?? ''
    if (x === y) continue
    const xNumeric = ALL_DIGITS.test(x)
    if (xNumeric !== ALL_DIGITS.test(y)) return xNumeric ? -1 : 1
    return xNumeric ? compareNumbers(x, y) : x < y ? -1 : 1
  }
  return a.length - b.length
}

/** A version that was parsed once, to be compared often. */
export function comparable(text: string): Parsed | undefined {
  const version = parseVersion(text)
  return version && { ...version, text }
}

function mustParse(text: string): Version & { text: string } {
  const version = parseVersion(text)
  if (!version) throw new TypeError(`not a canonical version: ${text}`)
  return { ...version, text }
}

type Parsed = Version & { text: string }

/** {@link compareVersions} of versions that are parsed. */
export const compareParsed = (x: Parsed, y: Parsed): number =>
  compareNumbers(x.major, y.major) ||
  compareNumbers(x.minor, y.minor) ||
  compareNumbers(x.patch, y.patch) ||
  comparePre(x.pre, y.pre) ||
  (x.text < y.text ? -1 : x.text > y.text ? 1 : 0)

/**
 * Semver precedence. `+incompatible` does not count, so the text breaks the tie (as semver.Sort does).
 * Both must be canonical versions.
 */
export const compareVersions = (a: string, b: string): number => compareParsed(mustParse(a), mustParse(b))

/** Sorts canonical versions as {@link compareVersions} does, and parses each once. */
export const sortVersions = (versions: readonly string[]): string[] =>
  versions
    .map(mustParse)
    .sort(compareParsed)
    .map(({ text }) => text)

// x/mod/module pseudoVersionRE
const PSEUDO =
  /^v[0-9]+\.(?:0\.0-|[0-9]+\.[0-9]+-(?:[^+]*\.)?0\.)([0-9]{14})-[A-Za-z0-9]+(?:\+[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?$/

/** `v0.0.0-20191109021931-daa7c04131f5` and the two other forms: a commit without a tag. */
export const isPseudoVersion = (version: string): boolean =>
  parseVersion(version) !== undefined && PSEUDO.test(version)

/**
 * The UTC time in a pseudo-version, or `undefined` for another version or when the digits are not a date
 * (`v0.0.0-20191399…`: go accepts such a version, but it has no time).
 */
export function pseudoVersionTime(version: string): Date | undefined {
  const digits = isPseudoVersion(version) ? PSEUDO.exec(version)?.[1] : undefined
  if (digits === undefined) return undefined
  const iso = digits.replace(/^(....)(..)(..)(..)(..)(..)$/, '$1-$2-$3T$4:$5:$6')
  const time = new Date(`${iso}Z`)
  // Date turns 30 February into March: the time must read back as it was written.
  return Number.isNaN(time.getTime()) || !time.toISOString().startsWith(iso) ? undefined : time
}

/** True for `v1.2.3-rc.1`; false for `v1.2.3` and for pseudo-versions. */
export const isPrerelease = (version: string): boolean =>
  (parseVersion(version)?.pre.length ?? 0) > 0 && !isPseudoVersion(version)
