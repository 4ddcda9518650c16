// Who is active: looks at state/active, and keeps connections to the service that it names. The data folder may be on a
// file system that does not answer, so each look has an end, and there is one at a time.

import { peerAddressText } from '../addresses/peer-address.js'
import { messageOf } from '../errors.js'
import type { Log } from '../log.js'
import { inTime } from '../shares/in-time.js'
import { readActive, type Active } from './active.js'
import { readClusterKey } from './key.js'
import { PeerAgent } from './peer-agent.js'

/** How long a look may take, and a connection to be made. */
const TIMES = { lookMs: 2000, connectMs: 2000 }
/** How long what was seen counts, unless it has turned out to be wrong. */
const HOLDS_MS = 200

/** The active service, and the connections to it. */
export type Peer = { holder: string; address: string; agent: PeerAgent }

/** `peer` is `undefined` when nobody can be reached, for the reason `why`, which anybody may read. */
type Seen = { peer: Peer | undefined; why: string }

const NOBODY = 'no machine takes uploads at the moment'

export class Peers {
  readonly #data: string
  readonly #log: Log
  readonly #times: typeof TIMES
  /** The service that was active at the last look, with the key that it was given. */
  #known: { peer: Peer; key: Buffer } | undefined
  /** The look that has not ended. */
  #looking: Promise<Seen> | undefined
  /** The last look that has ended, and when, on the clock of `performance`. */
  #seen: { seen: Seen; at: number } | undefined
  /** Whether the last attempt to connect has succeeded. */
  #isReached = true
  /** What the log was told last. */
  #told = ''

  /** `data` is the data folder, absolute. */
  constructor(data: string, log: Log, times = TIMES) {
    this.#data = data
    this.#log = log
    this.#times = times
  }

  /** The active service, as it was a moment ago; `anew` is for who could not connect to it. Never rejects. */
  async find(anew = false): Promise<Seen> {
    const last = this.#seen
    if (!anew && last && performance.now() - last.at < HOLDS_MS) return last.seen
    this.#looking ??= this.#look().finally(() => (this.#looking = undefined))
    const ms = this.#times.lookMs
    const why = `the data folder does not answer within ${ms / 1000} s`
    return inTime(ms, { peer: undefined, why }, this.#looking)
  }

  /** Tells the log that the active service could not be reached, once until that changes. */
  tellUnreachable({ holder, address }: Peer, reason: string): void {
    this.#isReached = false
    this.#tell('warn', 'active service not reached', { holder, address, reason })
  }

  /** Tells the log that the active service is reached again, if it was not. */
  tellReached({ holder, address }: Peer): void {
    if (this.#isReached) return
    this.#isReached = true
    this.#tell('info', 'active service reached', { holder, address })
  }

  /** Keeps no connection any more. Requests that are under way go on. */
  retire(): void {
    this.#known?.peer.agent.retire()
    this.#known = undefined
  }

  async #look(): Promise<Seen> {
    const seen = await this.#see().catch((error: unknown): Seen => {
      this.#tell('error', 'active service not known', { reason: messageOf(error) })
      return { peer: undefined, why: 'it cannot be told which machine takes uploads' }
    })
    if (!seen.peer) this.retire()
    this.#seen = { seen, at: performance.now() }
    return seen
  }

  async #see(): Promise<Seen> {
    const active = await readActive(this.#data)
    if (!active) {
      this.#tell('info', 'no active service', {})
      return { peer: undefined, why: NOBODY }
    }
    const key = await readClusterKey(this.#data)
    if (!key) throw new Error('state/cluster-key is missing')
    return { peer: this.#peerOf(active, key), why: '' }
  }

  #peerOf({ holder, address }: Active, key: Buffer): Peer {
    const text = peerAddressText(address)
    const known = this.#known
    if (known?.peer.holder === holder && known.peer.address === text && known.key.equals(key))
      return known.peer
    this.retire()
    const peer = { holder, address: text, agent: new PeerAgent(address, key, this.#times.connectMs) }
    this.#known = { peer, key }
    this.#tell('info', 'active service', { holder, address: text })
    return peer
  }

  #tell(level: 'info' | 'warn' | 'error', event: string, fields: Record<string, string>): void {
    const text = JSON.stringify([event, fields])
    if (text === this.#told) return
    this.#told = text
    this.#log(level, event, fields)
  }
}
