// The packages of a module, while its source files come in any order. Memory is bounded: of more than MOST_PACKAGES
// those with the first import paths are kept.

import { packageClauseOf } from '../gomod/package-clause.js'
import { synopsisOf } from '../gomod/synopsis.js'
import type { PackageFacts } from '../views/facts.js'
import { shortened } from '../views/module-facts.js'

const MOST_PACKAGES = 1000
/** Packages in one folder: a folder has one, and perhaps some that need other build tags. */
const MOST_NAMES = 4
const MOST_SYNOPSIS_CHARS = 500
/** Characters above package clauses that are looked at, of all files together: a hostile zip has many long comments. */
const MOST_LOOKED_AT = 64 * 2 ** 20

/** A package of a folder: its files, and the one whose documentation it has. */
type Found = { files: number; documented?: string; synopsis?: string }

// 'sub/x/m.go' → ['sub/x', 'm.go']
function split(path: string): [folder: string, file: string] {
  const slash = path.lastIndexOf('/')
  return [path.slice(0, Math.max(0, slash)), path.slice(slash + 1)]
}

/**
 * Whether packages of a folder can be imported: go list ./… leaves out what begins with `_` or `.`, `testdata` and
 * `vendor`, and refuses other characters (x/mod/module CheckImportPath); nobody outside of the module can import from
 * `internal`.
 */
const isImportable = (folder: string): boolean =>
  /^[0-9A-Za-z~+-][\w.~+-]*$/.test(folder) && !folder.endsWith('.') && !HIDDEN.includes(folder)

const HIDDEN = ['testdata', 'vendor', 'internal']

/**
 * Whether a file below the module's root belongs to a package that others can import or run. Build constraints do not
 * count, but for `//go:build ignore`.
 */
export function isPackageSource(path: string): boolean {
  const [folder, file] = split(path)
  if (!file.endsWith('.go') || file.endsWith('_test.go') || /^[_.]/.test(file)) return false
  return folder === '' || folder.split('/').every(isImportable)
}

export class PackageList {
  /** The module path. */
  readonly #module: string
  /** folder => name in the package clause => the package */
  readonly #folders = new Map<string, Map<string, Found>>()
  /** The folders in their order. */
  readonly #sorted: string[] = []
  #left = MOST_LOOKED_AT
  #isCut = false

  constructor(module: string) {
    this.#module = module
  }

  /** Adds a source file for which {@link isPackageSource} holds; `source` is its beginning. */
  add(path: string, source: string): void {
    const [folder, file] = split(path)
    if (this.#left <= 0 || this.#isBehindAll(folder)) return void (this.#isCut = true)
    const clause = packageClauseOf(source)
    this.#left -= clause?.length ?? source.length
    if (!clause || clause.ignored || clause.name === 'documentation') return // go/build: a package for no build
    const found = this.#foundIn(folder, clause.name)
    if (!found) return
    found.files++
    if (found.documented !== undefined && found.documented < file) return
    if (clause.doc === '') return
    found.documented = file
    const synopsis = synopsisOf(clause.doc)
    found.synopsis = shortened(synopsis, MOST_SYNOPSIS_CHARS)
    this.#isCut ||= found.synopsis !== synopsis
  }

  /** The packages in the order of their import paths. `isCut`: there are more. */
  list(): { packages: PackageFacts[]; isCut: boolean } {
    const packages = this.#sorted.map((folder) => this.#factsOf(folder))
    return { packages, isCut: this.#isCut }
  }

  /** Whether the list is full, and the folder comes behind all that it has. */
  #isBehindAll(folder: string): boolean {
    return (
      this.#sorted.length >= MOST_PACKAGES &&
      !this.#folders.has(folder) &&
      folder > (this.#sorted.at(-1) ?? '')
    )
  }

  #foundIn(folder: string, name: string): Found | undefined {
    const names = this.#folders.get(folder) ?? this.#newFolder(folder)
    const known = names.get(name)
    if (known || names.size >= MOST_NAMES) return known
    const found = { files: 0 }
    names.set(name, found)
    return found
  }

  #newFolder(folder: string): Map<string, Found> {
    const names = new Map<string, Found>()
    this.#folders.set(folder, names)
    let [low, high] = [0, this.#sorted.length] // the first folder behind it is in [low, high]
    while (low < high) {
      const middle = (low + high) >> 1
      if ((this.#sorted[middle] ?? '') < folder) low = middle + 1
      else high = middle
    }
    this.#sorted.splice(low, 0, folder)
    if (this.#sorted.length > MOST_PACKAGES) {
      this.#folders.delete(this.#sorted.pop() ?? '')
      this.#isCut = true
    }
    return names
  }

  /** The package of a folder that has the most files there; among equals, that with the first name. */
  #factsOf(folder: string): PackageFacts {
    const all = [...(this.#folders.get(folder) ?? [])]
    all.sort(([a, { files: ofA }], [b, { files: ofB }]) => ofB - ofA || (a < b ? -1 : 1))
    const [name, { synopsis = '' }] = all[0] ?? ['', { files: 0 }]
    const path = folder === '' ? this.#module : `${this.#module}/${folder}`
    return { path, name, ...(synopsis !== '' && { synopsis }) }
  }
}
