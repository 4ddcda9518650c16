// The views of a generic package: of the version that changes, and of all its versions together.

import { dirname } from 'node:path'
import { ignoring } from '../errors.js'
import {
  genericFile,
  genericPackageViews,
  genericVersionFolder,
  genericViews,
  latestFolder,
  type GenericVersion,
} from '../layout.js'
import { readGenericFacts, readGenericIndex } from '../packages/published.js'
import { readRecord } from '../packages/records.js'
import { readEach } from '../store/read-each.js'
import {
  placeFiles,
  stageFiles,
  unstageFiles,
  type PlannedFile,
  type StagedFile,
} from '../store/staged-files.js'
import type { Store } from '../store/store.js'
import { waitForAll } from '../store/wait-for-all.js'
import type { FileFacts, GenericEntry, GenericVersionFacts } from '../views/facts.js'
import {
  entryOfGeneric,
  genericIndex,
  genericVersion,
  orderEntries,
  sumsText,
  withEntry,
  withoutEntry,
  type OrderedEntries,
} from '../views/generic-index.js'
import { genericPage, genericVersionPage } from '../views/generic-page.js'
import type { Site } from '../views/page-addresses.js'
import { MOST_ENTRIES, timeText } from '../views/module-index.js'
import { linksWithout, linkToFresh, type PlannedLink } from './latest-links.js'

type Package = Omit<GenericVersion, 'version'>

/** What the views of a package should be after a change of one version. */
type ViewPlan = {
  version: GenericVersion
  files: PlannedFile[]
  links: PlannedLink[]
  gone: string[]
}

/** A plan whose files are on the disk under no name yet. */
export type StagedViews = ViewPlan & { staged: StagedFile[] }

/** What changes of a version: a file that is about to have its name, or files that go. */
type Change = { fresh?: FileFacts; without?: readonly string[] }

/** The files of a version that has these facts. */
export function versionFiles(facts: GenericVersionFacts, site: Site): PlannedFile[] {
  const views = genericViews(facts)
  return [
    { path: views.sums, content: Buffer.from(sumsText(facts.files)) },
    { path: views.facts, content: jsonFile(facts) },
    { path: views.versionPage, content: Buffer.from(genericVersionPage(facts, site)) },
  ]
}

/** The files of a package that has these versions. */
export function packageFiles(at: Package, entries: OrderedEntries, site: Site): PlannedFile[] {
  const views = genericPackageViews(at)
  const index = genericIndex(at, entries)
  return [
    { path: views.index, content: jsonFile(index) },
    { path: views.page, content: Buffer.from(genericPage(index, site)) },
  ]
}

const jsonFile = (value: object): Buffer => Buffer.from(`${JSON.stringify(value)}\n`)

/** The views of a version that has no file, and those of a package without versions. */
export const viewsOfVersion = (at: GenericVersion): string[] => {
  const { sums, facts, versionPage } = genericViews(at)
  return [sums, facts, versionPage]
}
export const viewsOfPackage = (at: Package): string[] => {
  const { index, page } = genericPackageViews(at)
  return [index, page]
}

/** The facts of a published file. One without a record of its upload has none until a rebuild. */
async function readFile(store: Store, at: GenericVersion, file: string): Promise<FileFacts | undefined> {
  const path = genericFile(at, file)
  const [status, record] = await Promise.all([store.status(path), readRecord(store, path)])
  if (!status?.isFile() || record?.sha256 === undefined) return undefined
  return { file, size: status.size, sha256: record.sha256, time: timeText(status.mtime) }
}

const areSame = (a: readonly string[], b: readonly string[]): boolean =>
  a.length === b.length && new Set([...a, ...b]).size === a.length

/** The views of generic packages. Run its methods in the package's queue. */
export class GenericViews {
  readonly #store: Store
  /** What pages know of the server. */
  readonly #site: Site

  constructor(store: Store, site: Site) {
    this.#store = store
    this.#site = site
  }

  /**
   * Plans the views of a version and of its package, with `fresh` and without `without`. What the views in the tree say
   * of other files and versions is taken over when it names exactly those that exist; with `afresh` it is read again.
   */
  async plan(version: GenericVersion, change: Change, afresh = false): Promise<ViewPlan> {
    const facts = await this.#factsOf(version, change, afresh)
    const entries = await this.#entriesOf(version, facts, afresh)
    const isEmpty = entries.versions.length === 0
    return {
      version,
      files: [
        ...(facts ? versionFiles(facts, this.#site) : []),
        ...(isEmpty ? [] : packageFiles(version, entries, this.#site)),
      ],
      links: await this.#links(version, change),
      gone: [...(facts ? [] : viewsOfVersion(version)), ...(isEmpty ? viewsOfPackage(version) : [])],
    }
  }

  async stage(plan: ViewPlan): Promise<StagedViews> {
    return { ...plan, staged: await stageFiles(this.#store, plan.files) }
  }

  unstage({ staged }: StagedViews): Promise<void> {
    return unstageFiles(this.#store, staged)
  }

  /** Gives the staged views their names, durably. */
  async place({ version, staged, links, gone }: StagedViews): Promise<void> {
    const { folder, packageFolder, root } = genericViews(version)
    const linked = latestFolder(version.owner, version.name)
    await placeFiles(this.#store, staged)
    for (const { path, text } of links)
      if (text === undefined) await this.#store.remove(path)
      else await this.#store.symlinkOver(text, path)
    for (const path of gone) await this.#store.remove(path)
    if (gone.length > 0) {
      await this.#store.prune(folder, root)
      await this.#store.prune(packageFolder, root)
      await this.#store.prune(linked, dirname(linked))
    }
    const folders = new Set([folder, packageFolder, linked])
    await waitForAll([...folders].map((path) => ignoring(['ENOENT'], () => this.#store.sync(path))))
  }

  /** Makes the views again after a crash. They have `file`, which may have been published a moment ago. */
  async refresh(version: GenericVersion, file: string): Promise<void> {
    const fresh = await readFile(this.#store, version, file)
    await this.place(await this.stage(await this.plan(version, fresh ? { fresh } : {}, true)))
  }

  async #links(version: GenericVersion, { fresh, without = [] }: Change): Promise<PlannedLink[]> {
    const fromFresh = fresh ? await linkToFresh(this.#store, version, fresh) : []
    return [...fromFresh, ...(await linksWithout(this.#store, version, without))]
  }

  async #factsOf(
    version: GenericVersion,
    { fresh, without = [] }: Change,
    afresh: boolean,
  ): Promise<GenericVersionFacts | undefined> {
    const names = await this.#store.names(genericVersionFolder(version))
    const before = afresh ? undefined : await readGenericFacts(this.#store, version)
    const gone = new Set([...without, ...(fresh ? [fresh.file] : [])])
    const others = names.filter((name) => !gone.has(name))
    const kept = new Set(others)
    const isKnown =
      before &&
      areSame(
        before.files.map(({ file }) => file),
        names,
      )
    const found: (FileFacts | undefined)[] = isKnown
      ? before.files.filter(({ file }) => kept.has(file))
      : await readEach(others, (file) => readFile(this.#store, version, file))
    const files = [...found, fresh].filter((file) => file !== undefined)
    return files.length === 0 ? undefined : genericVersion(version, files)
  }

  async #entriesOf(
    version: GenericVersion,
    facts: GenericVersionFacts | undefined,
    afresh: boolean,
  ): Promise<OrderedEntries> {
    const others = await this.#otherEntries(version, afresh)
    if (!facts) return this.#filledUp(version, others)
    const entry = entryOfGeneric(facts)
    const all = withEntry(others, entry)
    if (all) return this.#filledUp(version, all)
    return orderEntries([...(await this.#readEntries(version, await this.#otherNames(version))), entry])
  }

  /** Reads the details of the first of the older versions when there is room for them. */
  async #filledUp(version: GenericVersion, { versions, older }: OrderedEntries): Promise<OrderedEntries> {
    const [next] = older
    if (next === undefined || versions.length >= MOST_ENTRIES) return { versions, older }
    const [entry] = await this.#readEntries(version, [next])
    return entry ? { versions: [...versions, entry], older: older.slice(1) } : { versions, older }
  }

  async #otherNames(version: GenericVersion): Promise<string[]> {
    const names = await this.#store.names(dirname(genericVersionFolder(version)))
    return names.filter((name) => name !== version.version)
  }

  async #readEntries(version: GenericVersion, names: readonly string[]): Promise<GenericEntry[]> {
    const found = await readEach(names, (name) =>
      readGenericFacts(this.#store, { ...version, version: name }),
    )
    return found.filter((facts) => facts !== undefined).map(entryOfGeneric)
  }

  async #otherEntries(version: GenericVersion, afresh: boolean): Promise<OrderedEntries> {
    const others = await this.#otherNames(version)
    const index = afresh ? undefined : await readGenericIndex(this.#store, version)
    if (index) {
      const known = withoutEntry(index, version.version)
      if (areSame([...known.versions.map((entry) => entry.version), ...known.older], others)) return known
    }
    return orderEntries(await this.#readEntries(version, others))
  }
}
