// One owner in one pass: by its log and the marks of the last pass, or by a list of everything.

import { join } from 'node:path'
import { folders } from '../layout.js'
import { unescapePath } from '../gomod/module-path.js'
import { follow } from './follow.js'
import { DATABASES, genericPrefixes, TILES } from './object-kind.js'
import { PublicFolder } from './public-folder.js'
import { reconcile } from './reconcile.js'
import { Transfer, type MirrorTools } from './transfer.js'
import { changedVersions, endOfLog } from './version-log-reader.js'
import type { OwnerState } from './work-folder.js'

/** So often tiles are uploaded that change meanwhile. */
const TILE_LOOKS = 5
/** With more lines of the log than these, one list of everything is cheaper. */
const MOST_LINES = 20_000

type Guards = { mustBeThere: () => Promise<void>; mayEmpty: (owner: string) => Promise<boolean> }

export class OwnerMirror {
  readonly #tools: MirrorTools
  readonly #guards: Guards
  readonly #owner: string
  readonly #folder: PublicFolder
  /** Absolute. */
  readonly #log: string

  constructor(tools: MirrorTools, guards: Guards, owner: string) {
    this.#tools = tools
    this.#guards = guards
    this.#owner = owner
    const link = join(tools.data, folders.public, owner)
    this.#folder = new PublicFolder(link, tools.signal)
    this.#log = join(link, '-/index.ndjson')
  }

  /** Whether anybody may read the owner. */
  async isPublic(): Promise<boolean> {
    return (await this.#folder.status('')) !== undefined
  }

  /** Removes what the bucket has of an owner that is not public any more. */
  async empty(): Promise<void> {
    await this.#reconcile(this.#transfer(), [''])
  }

  /** Brings the bucket up to the folder. `state` is that of the last pass; without one, everything is compared. */
  async mirror(state: OwnerState | undefined): Promise<OwnerState> {
    const followed = state && (await this.#follow(state))
    if (followed) return followed
    const seen = await this.#seen()
    const transfer = this.#transfer()
    await this.#reconcile(transfer, [''])
    const after = { ...seen, again: [...transfer.moved] }
    // A dry run has not done it, so nothing follows.
    return this.#tools.dryRun ? after : ((await this.#follow(after)) ?? after)
  }

  /** How far the log is, and the marks of what has no log. */
  async #seen(): Promise<Omit<OwnerState, 'again'>> {
    const place = await endOfLog(this.#log)
    const marks = async (folder: string, file: (name: string) => string): Promise<Record<string, string>> => {
      const found: Record<string, string> = {}
      for (const entry of await this.#folder.names(folder)) {
        const status = await this.#folder.status(file(entry.name))
        if (status) found[entry.name] = [status.mtimeMs, status.ctimeMs, status.size].join()
      }
      return found
    }
    return {
      ...place,
      generic: await marks('-/generic', (name) => `-/generic/${name}/@/index.json`),
      databases: await this.#databaseMarks(),
    }
  }

  /** By the paths of the databases below go/sumdb; a name can have slashes. */
  async #databaseMarks(folder: string = DATABASES): Promise<Record<string, string>> {
    const found: Record<string, string> = {}
    const latest = await this.#folder.look(`${folder}/latest`)
    if (latest) found[folder.slice(DATABASES.length + 1)] = latest.md5
    else
      for (const entry of await this.#folder.names(folder))
        if (entry.isDirectory()) Object.assign(found, await this.#databaseMarks(`${folder}/${entry.name}`))
    return found
  }

  /** `undefined` when the log is another one than before, or too much has changed. */
  async #follow(state: OwnerState): Promise<OwnerState | undefined> {
    const seen = await this.#seen()
    const changed = await changedVersions(this.#log, state, seen, MOST_LINES)
    if (!changed) return undefined
    const again = new Set(state.again)
    for (const of of again) add(changed, moduleOf(of))
    const generic = Object.keys({ ...state.generic, ...seen.generic }).filter(
      (name) => state.generic[name] !== seen.generic[name] || again.has(`generic/${name}`),
    )
    const databases = Object.keys(seen.databases).filter(
      (name) => changed.size + again.size > 0 || state.databases[name] !== seen.databases[name],
    )
    if (changed.size + generic.length + databases.length + again.size === 0) return { ...seen, again: [] }

    const transfer = this.#transfer()
    const heads = await this.#looks(
      databases.flatMap((name) => [`${DATABASES}/${name}/latest`, `${DATABASES}/${name}/supported`]),
    )
    await follow(this.#tools, {
      owner: this.#owner,
      folder: this.#folder,
      transfer,
      changed,
      databases,
      uploadTiles: () => this.#uploadTiles(transfer, databases),
      mustBeThere: this.#guards.mustBeThere,
    })
    if (changed.size === 0) await this.#uploadTiles(transfer, databases)
    await transfer.upload(heads)
    for (const name of generic) await this.#reconcile(transfer, genericPrefixes(name))
    await transfer.upload(await this.#looks(['-/index.json', '-/feed.atom']))
    return { ...seen, again: [...transfer.moved] }
  }

  /** Uploads new tiles. Those that go meanwhile have larger ones in their place by then. */
  async #uploadTiles(transfer: Transfer, databases: readonly string[]): Promise<void> {
    if (databases.length === 0) return
    for (let look = 1; look <= TILE_LOOKS; look++) {
      transfer.moved.delete(TILES)
      const prefixes = databases.map((name) => `${DATABASES}/${name}/tile`)
      await this.#reconcile(transfer, prefixes, 'uploads')
      if (!transfer.moved.has(TILES)) return
    }
  }

  async #looks(paths: readonly string[]) {
    const found = await Promise.all(paths.map((path) => this.#folder.look(path)))
    return found.filter((file) => file !== undefined)
  }

  #reconcile(transfer: Transfer, prefixes: readonly string[], only?: 'uploads'): Promise<void> {
    const { mustBeThere, mayEmpty } = this.#guards
    return reconcile(this.#tools, {
      owner: this.#owner,
      folder: this.#folder,
      transfer,
      prefixes,
      mustBeThere,
      mayEmpty: () => mayEmpty(this.#owner),
      ...(only && { only }),
    })
  }

  #transfer(): Transfer {
    return new Transfer(this.#tools, this.#owner, this.#folder)
  }
}

// 'go/example.com/!m' → example.com/M
/** The module of a package, `undefined` for any other. */
const moduleOf = (of: string): string | undefined =>
  of.startsWith('go/') && of !== DATABASES && of !== TILES ? unescapePath(of.slice('go/'.length)) : undefined

function add(changed: Map<string, Set<string>>, module: string | undefined): void {
  if (module !== undefined && !changed.has(module)) changed.set(module, new Set())
}
