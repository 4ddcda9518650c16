// What commands ask of owners, here and from other machines: requests and answers, as JSON has them. The removal of an
// owner is a job of its own.

import { Refusal } from '../errors.js'
import type { Store } from '../store/store.js'
import { readOwners } from './files.js'
import { addOwner, setOwner } from './owners.js'
import type { Owner } from './rights.js'

export type OwnerRequest = { action: 'list' } | { action: 'add' | 'set'; name: string; public: boolean }

/** `owners` are those that the request is about. */
export type OwnerAnswer = { owners: Owner[] }

/** Reads a request that came as JSON. Throws a 400 for one that is malformed. */
export function parseOwnerRequest(value: unknown): OwnerRequest {
  const { action, name, public: isPublic } = Object(value) as Record<string, unknown>
  if (action === 'list') return { action }
  if ((action === 'add' || action === 'set') && typeof name === 'string' && typeof isPublic === 'boolean')
    return { action, name, public: isPublic }
  throw new Refusal(400, 'the request has no valid action, name or public')
}

/** Does what is asked. Throws the refusals of owners.ts. */
export async function doWithOwners(store: Store, request: OwnerRequest): Promise<OwnerAnswer> {
  if (request.action === 'list') return { owners: await readOwners(store) }
  const owner = { name: request.name, public: request.public }
  await (request.action === 'add' ? addOwner : setOwner)(store, owner)
  return { owners: [owner] }
}
