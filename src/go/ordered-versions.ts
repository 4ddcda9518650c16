// The versions of a module in the order of `list`. Adding a version costs a search, not a sort. Pure.

import { compareVersions, isPseudoVersion, sortVersions } from '../gomod/semver.js'
import { latestVersion } from './artifacts.js'

/**
 * All versions of a module: those of `list` in order, the pseudo-versions in order, and the one that `@latest` names.
 */
export type OrderedVersions = {
  readonly listed: readonly string[]
  readonly pseudo: readonly string[]
  readonly latest: string | undefined
}

export const orderVersions = (versions: readonly string[]): OrderedVersions => ({
  listed: sortVersions(versions.filter((version) => !isPseudoVersion(version))),
  pseudo: sortVersions(versions.filter(isPseudoVersion)),
  latest: latestVersion(versions),
})

export const countOf = ({ listed, pseudo }: OrderedVersions): number => listed.length + pseudo.length

/** The number of versions in `listed` that come before `version`. */
function placeOf(version: string, listed: readonly string[]): number {
  let [low, high] = [0, listed.length]
  while (low < high) {
    const middle = (low + high) >>> 1
    if (compareVersions(listed[middle] ?? '', version) < 0) low = middle + 1
    else high = middle
  }
  return low
}

/** `known` with `version` in it once, whether it was in it or not. */
export function withVersion(known: OrderedVersions, version: string): OrderedVersions {
  const { listed, pseudo, latest } = withoutVersion(known, version)
  const newest = latestVersion(latest === undefined ? [version] : [latest, version])
  const inserted = (versions: readonly string[]): readonly string[] =>
    versions.toSpliced(placeOf(version, versions), 0, version)
  return isPseudoVersion(version)
    ? { listed, pseudo: inserted(pseudo), latest: newest }
    : { listed: inserted(listed), pseudo, latest: newest }
}

export function withoutVersion(known: OrderedVersions, version: string): OrderedVersions {
  const others = (versions: readonly string[]): readonly string[] =>
    versions.includes(version) ? versions.filter((other) => other !== version) : versions
  const [listed, pseudo] = [others(known.listed), others(known.pseudo)]
  const latest = known.latest === version ? latestVersion([...listed, ...pseudo]) : known.latest
  return { listed, pseudo, latest }
}

/** All versions in semver order, the highest first. */
export function highestFirst({ listed, pseudo }: OrderedVersions): string[] {
  if (pseudo.length === 0) return listed.toReversed()
  const all: string[] = []
  let [l, p] = [listed.length - 1, pseudo.length - 1]
  while (l >= 0 || p >= 0) {
    const [version, other] = [listed[l], pseudo[p]]
    const takesListed = other === undefined || (version !== undefined && compareVersions(version, other) > 0)
    all.push((takesListed ? version : other) ?? '')
    if (takesListed) l--
    else p--
  }
  return all
}

/**
 * The version that go chooses for `@latest`: the one that the file `@latest` names, or the best of the others when the
 * go.mod of that one retracts it. When all are retracted, go has none, and this is the one that `@latest` names.
 */
export function chosenVersion(
  { listed, pseudo, latest }: OrderedVersions,
  isRetracted: (version: string) => boolean,
): string | undefined {
  if (latest === undefined || !isRetracted(latest)) return latest
  return latestVersion([...listed, ...pseudo].filter((version) => !isRetracted(version))) ?? latest
}
