// Inspects a generic version: its files are what was uploaded, and its views are what follows from them.

import { checkFileName } from '../generic/names.js'
import { genericFile, genericVersionFolder, type GenericVersion } from '../layout.js'
import type { Store } from '../store/store.js'
import { versionFiles } from '../generic/views.js'
import type { FileFacts } from '../views/facts.js'
import { genericVersion } from '../views/generic-index.js'
import { timeText } from '../views/module-index.js'
import type { Site } from '../views/page-addresses.js'
import { compareContent } from './derived-files.js'
import type { FileCheck } from './file-check.js'
import { stray, type Finding, type PackageFindings } from './finding.js'
import { isRecentGeneric, type Since } from './recent.js'

/** Everything that is wrong with a generic version. */
export async function inspectGenericVersion(
  { store, check, site, since }: { store: Store; check: FileCheck; site: Site; since: Since },
  at: GenericVersion,
): Promise<PackageFindings> {
  const files: FileFacts[] = []
  const names = await store.names(genericVersionFolder(at))
  if (!(await isRecentGeneric(store, since, at, names))) return { findings: [], files: 0, isUnchanged: true }
  const findings: Finding[] = []
  for (const file of names) {
    const path = genericFile(at, file)
    const status = await store.status(path)
    if (!status) continue
    if (!status.isFile() || checkFileName(file) !== undefined) findings.push(stray(path))
    else {
      const uploaded = await check.uploaded(path, status, { op: 'publish', ...at, file })
      findings.push(...uploaded.findings)
      files.push({ file, size: status.size, sha256: uploaded.sha256, time: timeText(uploaded.time) })
    }
  }
  if (files.length > 0)
    for (const { path, content } of versionFiles(genericVersion(at, files), site))
      findings.push(...(await compareContent({ store, check }, path, content)))
  return { findings, files: names.length }
}
