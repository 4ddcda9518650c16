// Inspects a module version without its zip: its other files must agree with each other, and with the record of the
// upload. When they do not, the zip is read.

import type { Sum } from '../digest.js'
import { infoText } from '../go/artifacts.js'
import { goModHash } from '../gomod/dirhash.js'
import { versionFile, type ModuleVersion } from '../layout.js'
import { readModuleFacts } from '../packages/published.js'
import type { ModuleVersionFacts } from '../views/facts.js'
import { timeText } from '../views/module-index.js'
import { compareContent, compareSum, type Comparing } from './derived-files.js'

/** What the JSON of the version says of it; `undefined` when one of its files does not agree with the others. */
export async function agreeingFacts(
  comparing: Comparing,
  at: ModuleVersion,
  { time, size, sha256 }: Sum & { time: Date },
): Promise<ModuleVersionFacts | undefined> {
  const { store } = comparing
  const facts = await readModuleFacts(store, at)
  const isOfUpload =
    facts?.owner === at.owner &&
    facts.module === at.module &&
    facts.version === at.version &&
    facts.time === timeText(time) &&
    facts.size === size &&
    facts.sha256 === sha256
  const path = versionFile(at, 'mod')
  if (!isOfUpload || !(await store.status(path))?.isFile()) return undefined
  const mod = await store.sum(path)
  if (goModHash(mod.sha256) !== facts.goModH1) return undefined
  const info = Buffer.from(infoText(at.version, time))
  const found = [
    ...(await compareSum(comparing, path, { sum: mod, time, repair: async () => {} })), // its time and its mode
    ...(await compareContent(comparing, versionFile(at, 'info'), info, time)),
  ]
  return found.length === 0 ? facts : undefined
}
