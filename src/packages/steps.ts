// What the journal does for a change, step by step.

import type { Operation } from './operation.js'

/** One publish, step by step. Each step has its reverse, for the case that a later step fails. */
export type Publish<T> = {
  entry: Operation
  /** Makes what will be needed, under no name yet. It runs while the entry is written. Rejects with nothing left. */
  prepare: () => Promise<T>
  /** Removes what {@link prepare} made, as far as it was not placed. */
  drop: (prepared: T) => Promise<void>
  /** Gives the uploaded file its name. Rejects when the name is taken. */
  claim: () => Promise<void>
  /** Removes the empty folders that a publish which claimed nothing may have made. */
  prune: () => Promise<void>
  /** Makes the claimed file visible, and everything durable. `entry` is the path of the journal's entry. */
  place: (prepared: T, entry: string) => Promise<void>
  /** Takes a claimed publish back, whole or half placed, durably. */
  withdraw: () => Promise<void>
}

/** One delete, step by step. */
export type Removal<T> = {
  entry: Operation
  /** Makes what will be needed, under no name yet. It runs while the entry is written. Rejects with nothing left. */
  prepare: () => Promise<T>
  /** Removes what {@link prepare} made, as far as it was not placed. */
  drop: (prepared: T) => Promise<void>
  /** Takes the package away, durably. Without `prepared` it finishes a delete that failed before. */
  withdraw: (prepared?: T) => Promise<void>
}
