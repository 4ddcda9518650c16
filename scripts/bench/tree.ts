// Trees with many versions, made in no time: all versions of a module are names of the same few files.

import { linkSync, mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { infoText, listText } from '../../src/go/artifacts.js'
import { deriveIndex } from '../../src/go/facts.js'
import { orderVersions } from '../../src/go/ordered-versions.js'
import {
  extensions,
  modulePaths,
  moduleViews,
  versionFile,
  type Extension,
  type Module,
} from '../../src/layout.js'
import type { ModuleVersionFacts } from '../../src/views/facts.js'
import { entryOf, parseVersionFacts, versionText } from '../../src/views/module-index.js'
import { simpleModule } from '../../test/support/zips.js'

/** The n-th version of a module of the benchmark: v1.0.0, v1.1.0, … */
export const versionAt = (n: number): string => `v1.${n}.0`

/** Makes `versions` versions of a module in a data folder, as if they were published. All have the zip of v1.0.0. */
export async function fillModule(data: string, module: Module, versions: number): Promise<void> {
  const at = (path: string): string => join(data, path)
  const fileOf = (n: number, extension: Extension): string =>
    at(versionFile({ ...module, version: versionAt(n) }, extension))
  const { list, latest, latestFile } = modulePaths(module)
  const contents = {
    zip: await simpleModule(module.module, versionAt(0)),
    mod: `module ${module.module}\n\ngo 1.19\n`,
    info: infoText(versionAt(0), new Date()),
  }
  mkdirSync(dirname(at(list)), { recursive: true })
  for (const extension of extensions) {
    writeFileSync(fileOf(0, extension), contents[extension])
    for (let n = 1; n < versions; n++) linkSync(fileOf(0, extension), fileOf(n, extension))
    linkSync(fileOf(versions - 1, extension), at(latestFile(extension)))
  }
  writeFileSync(at(list), listText(Array.from({ length: versions }, (_, n) => versionAt(n))))
  writeFileSync(at(latest), contents.info)
  await fillViews(data, module, versions)
}

/** Makes the JSON of all versions, and the index of the module. */
async function fillViews(data: string, module: Module, versions: number): Promise<void> {
  const views = moduleViews(module)
  const facts: ModuleVersionFacts[] = []
  mkdirSync(join(data, views.folder), { recursive: true })
  for (let n = 0; n < versions; n++) {
    const text = versionText(
      { ...module, version: versionAt(n), time: new Date(), size: 500, sha256: 'ab'.repeat(32) },
      JSON.stringify({
        h1: 'h1:zip',
        goModH1: 'h1:mod',
        files: 2,
        retracts: [],
        requires: [],
        packages: [],
        licences: [],
      }),
    )
    writeFileSync(join(data, views.facts(versionAt(n))), text)
    const parsed = parseVersionFacts(text)
    if (parsed) facts.push(parsed)
  }
  const ordered = orderVersions(facts.map(({ version }) => version))
  const entries = new Map(facts.map((one) => [one.version, entryOf(one)]))
  const factsOf = async (version: string): Promise<ModuleVersionFacts | undefined> =>
    facts.find((one) => one.version === version)
  const { index } = await deriveIndex(
    module,
    { ...ordered, latest: versionAt(versions - 1) },
    entries,
    factsOf,
  )
  writeFileSync(join(data, views.index), `${JSON.stringify(index)}\n`)
}
