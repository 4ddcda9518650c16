// Inspects the views of a generic package: its index, and the links to its latest files.

import { checkPackageVersion } from '../generic/names.js'
import { readGenericFacts } from '../packages/published.js'
import { packageFiles, viewsOfPackage, viewsOfVersion } from '../generic/views.js'
import {
  genericFolder,
  genericPackageViews,
  latestFolder,
  latestLink,
  latestTarget,
  type GenericVersion,
} from '../layout.js'
import { readEach } from '../store/read-each.js'
import type { Store } from '../store/store.js'
import { compareGeneric, entryOfGeneric, orderEntries } from '../views/generic-index.js'
import type { GenericVersionFacts } from '../views/facts.js'
import type { Site } from '../views/page-addresses.js'
import { compareContent, type Comparing } from './derived-files.js'
import { REBUILD, type Finding, type PackageFindings } from './finding.js'
import { isRecentPackage, type Since } from './recent.js'
import { noView } from './views.js'

type Package = Omit<GenericVersion, 'version'>

/** Everything that is wrong with the views of a generic package. Its versions are inspected one by one before. */
export async function inspectGenericPackage(
  comparing: Comparing & { site: Site; since: Since },
  at: Package,
): Promise<PackageFindings> {
  const { store, since } = comparing
  const names = (await store.names(`${genericFolder(at.owner)}/${at.name}`)).filter(
    (version) => checkPackageVersion(version) === undefined,
  )
  if (!(await isRecentPackage(store, since, at, names))) return { findings: [], files: 0, isUnchanged: true }
  const found = await readEach(names, (version) => readGenericFacts(store, { ...at, version }))
  const versions = found.filter((facts) => facts !== undefined)
  const findings: Finding[] = []
  if (versions.length > 0)
    for (const { path, content } of packageFiles(
      at,
      orderEntries(versions.map(entryOfGeneric)),
      comparing.site,
    ))
      findings.push(...(await compareContent(comparing, path, content)))
  findings.push(...(await inspectLinks(store, at, versions)))
  findings.push(...(await inspectViewNames(store, at, names, versions.length > 0)))
  return { findings, files: 0 }
}

/** Compares `-/latest` with the latest file of each name. */
async function inspectLinks(
  store: Store,
  at: Package,
  versions: readonly GenericVersionFacts[],
): Promise<Finding[]> {
  const latest = new Map<string, { version: string; time: string }>()
  for (const { version, files } of versions)
    for (const { file, time } of files) {
      const other = latest.get(file)
      if (!other || compareGeneric({ version, time }, other) > 0) latest.set(file, { version, time })
    }
  const findings: Finding[] = []
  for (const [file, { version }] of latest) {
    const [path, text] = [latestLink({ ...at, version }, file), latestTarget({ ...at, version }, file)]
    if ((await store.linkText(path)) === text) continue
    const repair = (): Promise<void> => store.symlinkOver(text, path)
    findings.push({ path, fault: 'it is not a link to the latest file of this name', mend: REBUILD, repair })
  }
  for (const file of await store.names(latestFolder(at.owner, at.name)))
    if (!latest.has(file)) findings.push(noView(store, `${latestFolder(at.owner, at.name)}/${file}`))
  return findings
}

/** Finds the views that are of no version. */
async function inspectViewNames(
  store: Store,
  at: Package,
  versions: readonly string[],
  hasIndex: boolean,
): Promise<Finding[]> {
  const { packageFolder } = genericPackageViews(at)
  const right = new Set(hasIndex ? viewsOfPackage(at) : [])
  for (const version of versions) for (const view of viewsOfVersion({ ...at, version })) right.add(view)
  const findings: Finding[] = []
  const folder = packageFolder.slice(0, -'/@'.length)
  for (const version of await store.names(folder))
    for (const name of await store.names(`${folder}/${version}`))
      if (!right.has(`${folder}/${version}/${name}`))
        findings.push(noView(store, `${folder}/${version}/${name}`))
  return findings
}
