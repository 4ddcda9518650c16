// What an inspection finds, and who can mend it.

/** `path` is below the data folder. With a `repair`, rebuild can mend it; a `note` is no fault. */
export type Finding = {
  path: string
  fault: string
  /** What mends it, for a person. */
  mend: string
  repair?: () => Promise<void>
  note?: true
}

/** What is to be looked at: everything, one owner, one module. */
export type Scope = { owner?: string; module?: string }

/** A finding as it is reported; `mended` when this run has mended it. */
export type Fault = { path: string; fault: string; mend: string; byRebuild: boolean; mended: boolean }

/** How far an inspection is. `unrecorded` files have no SHA-256 of their upload; `recorded` ones have got it now. */
export type Totals = {
  packages: number
  files: number
  faults: number
  mended: number
  unrecorded: number
  recorded: number
}

export type InspectionEvent = { fault: Fault } | { totals: Totals; done: boolean }

export const REBUILD = 'npx plinth rebuild'
