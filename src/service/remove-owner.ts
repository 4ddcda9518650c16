// The removal of an owner as a command asks the running service for it, or does it without one.

import { openAccess } from '../access/access.js'
import type { Parts } from './parts.js'
import { isOwnerName } from '../access/rights.js'

/** `withPackages`: with everything that is published under it. */
export type OwnerToRemove = { owner: string; withPackages: boolean }

/** Throws for what is none. */
export function parseOwnerToRemove(asked: unknown): OwnerToRemove {
  const { owner, withPackages } = asked as Record<string, unknown>
  if (typeof owner !== 'string' || !isOwnerName(owner)) throw new Error('no owner')
  return { owner, withPackages: withPackages === true }
}

/** Ends with its one event when the owner is gone; throws what `removeOwner` of access.ts does. */
export async function* removeOwner(
  { store, packages }: Pick<Parts, 'store' | 'packages'>,
  { owner, withPackages }: OwnerToRemove,
): AsyncGenerator<{ done: true }> {
  await openAccess(store).removeOwner(owner, withPackages, packages)
  yield { done: true }
}
