// The texts that a GOPROXY serves for a module, as go reads them (go.dev/ref/mod, "Module proxy protocol").
// Pure: versions and times in, bytes out.

import {
  compareVersions,
  isPrerelease,
  isPseudoVersion,
  pseudoVersionTime,
  sortVersions,
} from '../gomod/semver.js'
import { timeText } from '../views/module-index.js'

// ('v1.2.3', 2026-11-21T01:02:03.456Z) → {"Version":"v1.2.3","Time":"2026-11-21T01:02:03Z"}
/** `.info`: whole seconds UTC. A pseudo-version's time is the one written in it, else the time of publication. */
export const infoText = (version: string, published: Date): string =>
  JSON.stringify({
    Version: version,
    Time: timeText(pseudoVersionTime(version) ?? published),
  })

// ['v1.1.0', 'v1.0.5', 'v0.0.0-20191109021931-daa7c04131f5'] → v1.0.5⏎v1.1.0⏎
/** `list`: one version a line, semver order, without pseudo-versions. Empty for a module that has only those. */
export const listText = (versions: readonly string[]): string =>
  linesOf(sortVersions(versions.filter((version) => !isPseudoVersion(version))))

/** {@link listText} of versions that are in order already and have no pseudo-version among them. */
export const linesOf = (listed: readonly string[]): string =>
  listed.length === 0 ? '' : `${listed.join('\n')}\n`

// 0 release, 1 pre-release, 2 pseudo-version
const rank = (version: string): number => (isPseudoVersion(version) ? 2 : isPrerelease(version) ? 1 : 0)

/**
 * The version that `@latest` names: the highest release, else the highest pre-release, else the newest
 * pseudo-version by its time. `undefined` without versions. The order of uploads does not matter.
 */
export function latestVersion(versions: readonly string[]): string | undefined {
  const time = (version: string): number => pseudoVersionTime(version)?.getTime() ?? 0
  return versions.reduce<string | undefined>((best, version) => {
    if (best === undefined) return version
    const order =
      rank(best) - rank(version) ||
      (rank(version) === 2 ? time(version) - time(best) : 0) ||
      compareVersions(version, best)
    return order > 0 ? version : best
  }, undefined)
}
