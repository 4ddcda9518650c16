// Whose turn it is to have something long read or searched for Gitea's API. It takes a while of the service's own
// thread or of the disk, and anybody may ask: so few are served at a time, addresses take turns, and after each the
// turn rests for three times as long as it took. What is left of the service is for those who write.

import { setTimeout as pause } from 'node:timers/promises'
import { Refusal, tryLater } from '../errors.js'
import { FairTurns } from '../shares/fair-turns.js'
import { Slots } from '../shares/slots.js'
import type { RequestContext } from './request-state.js'

/** Of all addresses, at a time. */
const TURNS = 2
/** Requests that wait, those that are served included; of one address a quarter at most. */
const MOST_WAITING = 128
const REST_FACTOR = 3
const MOST_REST_MS = 10_000
/** What takes less is not followed by a rest. */
const SHORT_MS = 2

const busy = (): Refusal => tryLater(2, 'too much is asked for at the moment')

export class ApiTurns {
  /** What is served; one address has one turn. */
  readonly #turns = new FairTurns(TURNS, 1)
  /** Who waits. */
  readonly #slots = new Slots(MOST_WAITING)

  /**
   * Runs `action`, which waits for no client, when it is the turn of the request's address. Throws a 503 when too many
   * wait, and a 499 for a client that has gone away.
   */
  run<T>(ctx: RequestContext, action: () => Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const served = async (): Promise<void> => {
        if (ctx.res.destroyed) throw new Refusal(499, 'the client went away')
        const begun = performance.now()
        await action().then(resolve, reject)
        const took = performance.now() - begun
        if (took > SHORT_MS)
          await pause(Math.min(took * REST_FACTOR, MOST_REST_MS), undefined, { ref: false })
      }
      this.#slots.run(ctx.ip, busy, () => this.#turns.run(ctx.ip, served)).catch(reject)
    })
  }
}
