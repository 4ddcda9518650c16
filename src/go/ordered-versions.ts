// The versions of a module in the order of `list`. Adding a version costs a search, not a sort. Pure.

import { compareVersions, isPseudoVersion, sortVersions } from '../gomod/semver.js'
import { latestVersion } from './artifacts.js'

/** All versions of a module: those of `list` in order, the pseudo-versions, and the one that `@latest` names. */
export type OrderedVersions = {
  readonly listed: readonly string[]
  readonly pseudo: readonly string[]
  readonly latest: string | undefined
}

export const orderVersions = (versions: readonly string[]): OrderedVersions => ({
  listed: sortVersions(versions.filter((version) => !isPseudoVersion(version))),
  pseudo: versions.filter(isPseudoVersion),
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
  if (isPseudoVersion(version)) return { listed, pseudo: [...pseudo, version], latest: newest }
  return { listed: listed.toSpliced(placeOf(version, listed), 0, version), pseudo, latest: newest }
}

export function withoutVersion(known: OrderedVersions, version: string): OrderedVersions {
  const others = (versions: readonly string[]): readonly string[] =>
    versions.includes(version) ? versions.filter((other) => other !== version) : versions
  const [listed, pseudo] = [others(known.listed), others(known.pseudo)]
  const latest = known.latest === version ? latestVersion([...listed, ...pseudo]) : known.latest
  return { listed, pseudo, latest }
}
