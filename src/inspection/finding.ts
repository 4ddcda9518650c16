// What an inspection finds, and who can mend it.

import { PLINTH } from '../errors.js'

/** `path` is below the data folder. Rebuild can mend a finding that has a `repair`. A `note` is not a fault. */
export type Finding = {
  path: string
  fault: string
  /** How a person mends it. */
  mend: string
  repair?: () => Promise<void>
  note?: true
}

/** What one package has: its findings, and the number of its files. One that `isUnchanged` was not looked at. */
export type PackageFindings = { findings: Finding[]; files: number; isUnchanged?: true }

/** What is inspected: everything, one owner, or one module. */
export type Scope = { owner?: string; module?: string }

/** A finding as it is reported. `mended`: this run has mended it. */
export type Fault = { path: string; fault: string; mend: string; byRebuild: boolean; mended: boolean }

/**
 * How far an inspection is. `unchanged` packages were not looked at, and are in no other number. `read` of all
 * `uploads`, the uploaded files, were read whole. `unrecorded` files have no record of their SHA-256. `recorded` files
 * had none, and this run has written it.
 */
export type Totals = {
  packages: number
  unchanged: number
  files: number
  uploads: number
  read: number
  readBytes: number
  faults: number
  mended: number
  unrecorded: number
  recorded: number
}

/** The totals before the first package. */
export const NOTHING_INSPECTED: Readonly<Totals> = {
  packages: 0,
  unchanged: 0,
  files: 0,
  uploads: 0,
  read: 0,
  readBytes: 0,
  faults: 0,
  mended: 0,
  unrecorded: 0,
  recorded: 0,
}

/** `at` is the package that was inspected last, `of` the number of all packages, once it is known. */
export type InspectionEvent = { fault: Fault } | { totals: Totals; done: boolean; at?: string; of?: number }

export const REBUILD = `${PLINTH} rebuild`

/** A file or folder in the tree that no part of Plinth writes. */
export const stray = (path: string): Finding => ({
  path,
  fault: 'a file that does not belong in the tree',
  mend: 'remove it, unless a program is writing it',
})
