// Inspects a generic version. Its files are what was uploaded, and nothing is derived from them.

import { checkFileName } from '../generic/names.js'
import { genericFile, genericVersionFolder, type GenericVersion } from '../layout.js'
import type { Store } from '../store/store.js'
import type { FileCheck } from './file-check.js'
import { stray, type Finding, type PackageFindings } from './finding.js'

/** Everything that is wrong with a generic version. */
export async function inspectGenericVersion(
  { store, check }: { store: Store; check: FileCheck },
  at: GenericVersion,
): Promise<PackageFindings> {
  const names = await store.names(genericVersionFolder(at))
  const findings: Finding[] = []
  for (const file of names) {
    const path = genericFile(at, file)
    const status = await store.status(path)
    if (!status) continue
    if (!status.isFile() || checkFileName(file) !== undefined) findings.push(stray(path))
    else findings.push(...(await check.uploaded(path, status, { op: 'publish', ...at, file })))
  }
  return { findings, files: names.length }
}
