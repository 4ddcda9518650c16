// What views say of packages. Pure: types alone. The JSON files of a package have these fields, in this order.

/** Versions that a module's go.mod takes back: `low` to `high`, both included. `rationale` may be empty. */
export type Retraction = { low: string; high: string; rationale: string }

/** A line of `require`. */
export type Requirement = { path: string; version: string; indirect?: true }

/** A package of a module: its import path, the name in its package clause, and the synopsis of its documentation. */
export type PackageFacts = { path: string; name: string; synopsis?: string }

/** A licence file in the module's root. `spdx` is there when the text is surely that licence. */
export type LicenceFacts = { file: string; spdx?: string }

/** What a module zip says of itself. Equal bytes give equal facts. The hashes are the two of go.sum. */
export type ModuleFacts = {
  h1: string
  goModH1: string
  /** The zip's files. */
  files: number
  /** The `go` and the `toolchain` line. */
  go?: string
  toolchain?: string
  /** The deprecation and the retractions that this go.mod states. Those of the highest version count. */
  deprecated?: string
  retracts: Retraction[]
  requires: Requirement[]
  packages: PackageFacts[]
  licences: LicenceFacts[]
  /** The text of the go.mod, when it is short enough to be shown. */
  goMod?: string
  /** The README of the root: the name of its file and its HTML, which is safe in a page. */
  readme?: { file: string; html: string }
  /** Something above was cut, since there is too much of it. */
  cut?: true
}

/** A module version. `time` is that of publication, in UTC and whole seconds. `sha256` and `size` are of the zip. */
export type ModuleVersionFacts = {
  format: 1
  kind: 'go'
  owner: string
  module: string
  version: string
  time: string
  size: number
  sha256: string
} & ModuleFacts

/** A version among those of its module. `retracted` is the rationale, which may be empty. */
export type VersionEntry = {
  version: string
  time: string
  size: number
  sha256: string
  h1: string
  goModH1: string
  retracted?: string
}

/**
 * A module. `latest` is the version that go chooses for `@latest`: the highest that is not retracted. `versions` are
 * the highest ones, at most MOST_ENTRIES, the highest first; `older` are the names of all others. `updated` is the
 * newest time among `versions`. The fields of `latest` come from its facts.
 */
export type ModuleIndex = {
  format: 1
  kind: 'go'
  owner: string
  module: string
  latest: string
  updated: string
  count: number
  deprecated?: string
  retracted: Retraction[]
  versions: VersionEntry[]
  older: string[]
} & Partial<
  Omit<ModuleFacts, 'h1' | 'goModH1' | 'files' | 'deprecated' | 'retracts' | 'goMod' | 'readme'>
> & {
    readme?: string
  }

/** A file of a generic version. */
export type FileFacts = { file: string; size: number; sha256: string; time: string }

/** A generic version. `time` is that of its newest file, `size` that of all files. `files` are in order of names. */
export type GenericVersionFacts = {
  format: 1
  kind: 'generic'
  owner: string
  name: string
  version: string
  time: string
  size: number
  files: FileFacts[]
}

/** A version among those of its generic package. `files` is their number. */
export type GenericEntry = { version: string; time: string; size: number; files: number }

/** A generic package. `latest` is the highest semantic version, else the newest version; it comes first. */
export type GenericIndex = {
  format: 1
  kind: 'generic'
  owner: string
  name: string
  latest: string
  updated: string
  count: number
  versions: GenericEntry[]
  older: string[]
}

/** A package in its owner's catalogue. `versions` is their number, `updated` the newest time of publication. */
export type CatalogueEntry = {
  kind: 'go' | 'generic'
  name: string
  versions: number
  latest: string
  updated: string
  synopsis?: string
  deprecated?: true
}
