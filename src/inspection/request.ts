// An inspection as a command asks the running service for it.

import type { Inspection } from './inspect.js'
import { isOwnerName } from '../access/rights.js'

/** Throws for what is none. */
export function parseInspection(asked: unknown): Inspection {
  const { owner, module, mend } = asked as Record<string, unknown>
  if (owner !== undefined && (typeof owner !== 'string' || !isOwnerName(owner))) throw new Error('no owner')
  if (module !== undefined && typeof module !== 'string') throw new Error('no module')
  return {
    mend: mend === true,
    ...(owner !== undefined && { owner }),
    ...(module !== undefined && { module }),
  }
}
