// What commands ask of owners, here and from other machines: requests and answers, as JSON has them. The removal of an
// owner is a job of its own.

import { Refusal } from '../errors.js'
import type { Store } from '../store/store.js'
import { readOwners } from './files.js'
import { addOwner, setOwner, type OwnerChange } from './owners.js'
import type { Owner } from './rights.js'

/** What `set` does not say stays as it is. */
export type OwnerRequest =
  | { action: 'list' }
  | { action: 'add'; name: string; public: boolean; immutable?: boolean }
  | ({ action: 'set' } & OwnerChange)

/** `owners` are those that the request is about. */
export type OwnerAnswer = { owners: Owner[] }

const isFlag = (value: unknown): value is boolean | undefined =>
  value === undefined || typeof value === 'boolean'

/** Reads a request that came as JSON. Throws a 400 for one that is malformed. */
export function parseOwnerRequest(value: unknown): OwnerRequest {
  const { action, name, public: isPublic, immutable } = Object(value) as Record<string, unknown>
  if (action === 'list') return { action }
  const isRight = typeof name === 'string' && isFlag(isPublic) && isFlag(immutable)
  if (isRight && action === 'add' && isPublic !== undefined)
    return { action, name, public: isPublic, ...(immutable !== undefined && { immutable }) }
  if (isRight && action === 'set' && (isPublic ?? immutable) !== undefined)
    return {
      action,
      name,
      ...(isPublic !== undefined && { public: isPublic }),
      ...(immutable !== undefined && { immutable }),
    }
  throw new Refusal(400, 'the request has no valid action, name, public or immutable')
}

/** Does what is asked. Throws the refusals of owners.ts. */
export async function doWithOwners(store: Store, request: OwnerRequest): Promise<OwnerAnswer> {
  if (request.action === 'list') return { owners: await readOwners(store) }
  const { action, ...change } = request
  if (action === 'set') return { owners: [await setOwner(store, change)] }
  const { name, public: isPublic, immutable = false } = request
  const owner: Owner = { name, public: isPublic, ...(immutable && { immutable }) }
  await addOwner(store, owner)
  return { owners: [owner] }
}
