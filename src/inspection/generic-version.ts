// A generic version: its files are what was uploaded, and nothing is derived from them.

import { genericFile, genericVersionFolder, type GenericVersion } from '../layout.js'
import { stray, type FileCheck } from './file-check.js'
import type { Finding } from './finding.js'
import type { Store } from '../store/store.js'
import { checkFileName } from '../generic/names.js'

export const makeVersionInspector =
  (store: Store, check: FileCheck) =>
  async (at: GenericVersion): Promise<{ findings: Finding[]; files: number }> => {
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
