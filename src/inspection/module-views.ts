// Inspects the pages of a module's versions, and finds views that are of no version.

import { readModuleFacts } from '../packages/published.js'
import { versionPages } from '../go/views.js'
import { moduleViews, type Module } from '../layout.js'
import type { Store } from '../store/store.js'
import type { Notices } from '../views/module-index.js'
import type { Site } from '../views/page-addresses.js'
import { compareContent, type Comparing } from './derived-files.js'
import { REBUILD, type Finding } from './finding.js'
import { noView } from './views.js'

/** Compares the pages of versions with their JSON, which was compared `before`, and what the highest version says. */
export async function inspectPages(
  inspecting: Comparing & { site: Site },
  module: Module,
  notices: Notices,
  versions: readonly string[],
  before: readonly Finding[],
): Promise<Finding[]> {
  const { store, site } = inspecting
  const views = moduleViews(module)
  const pageOf = versionPages(notices, site)
  const findings: Finding[] = []
  for (const version of versions) {
    const path = views.versionPage(version)
    const textOf = async (): Promise<Buffer | undefined> => {
      const facts = await readModuleFacts(store, { ...module, version })
      return facts && pageOf(facts)
    }
    const text = await textOf()
    if (text && !before.some((finding) => finding.path === views.facts(version) && !finding.note))
      findings.push(...(await compareContent(inspecting, path, text)))
    else
      findings.push({
        path,
        fault: 'it is made of a file that is not right',
        mend: REBUILD,
        async repair() {
          const mended = await textOf()
          if (mended) await store.writeMaking(path, mended)
        },
      })
  }
  return findings
}

/** Finds the views that are of no version. */
export async function inspectModuleViewNames(
  store: Store,
  module: Module,
  versions: readonly string[],
): Promise<Finding[]> {
  const views = moduleViews(module)
  const ofVersions = versions.flatMap((version) => [views.facts(version), views.versionPage(version)])
  const right = new Set([views.index, views.page, ...ofVersions])
  const findings: Finding[] = []
  for (const name of await store.names(views.folder)) {
    const path = `${views.folder}/${name}`
    if (!right.has(path)) findings.push(noView(store, path))
  }
  return findings
}
