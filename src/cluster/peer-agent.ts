// Connections to the active service, which are kept for the next request.

import { Agent, type ClientRequestArgs } from 'node:http'
import type { Duplex } from 'node:stream'
import { connect } from 'node:tls'
import type { PeerAddress } from '../addresses/peer-address.js'
import { errno, messageOf } from '../errors.js'
import { clientSecurity } from './psk.js'

/** How long a connection without a request is kept. The active service keeps it longer. */
const KEPT_MS = 15_000
const MOST_KEPT = 64
/** From when on the system asks whether the other machine is still there, once a second, ten times (Linux). */
const ALIVE_AFTER_MS = 5000

/** No connection was made: nothing has reached the active service. */
export class NotConnected extends Error {
  override readonly name = 'NotConnected'
}

export class PeerAgent extends Agent {
  readonly #address: PeerAddress
  readonly #key: Buffer
  /** How long a connection may take to be made, with the proof of the key. */
  readonly #connectMs: number

  constructor(address: PeerAddress, key: Buffer, connectMs: number) {
    super({ keepAlive: true, keepAliveMsecs: ALIVE_AFTER_MS, maxFreeSockets: MOST_KEPT, timeout: KEPT_MS })
    this.#address = address
    this.#key = key
    this.#connectMs = connectMs
  }

  /** Hands a connection over when the other side has proven the key, so that before it no byte of a request is sent. */
  override createConnection(
    _options: ClientRequestArgs,
    callback: (error: Error | null, stream: Duplex) => void,
  ): undefined {
    const { host, port } = this.#address
    const keptAlive = { keepAlive: true, keepAliveInitialDelay: ALIVE_AFTER_MS, noDelay: true }
    const socket = connect({ host, port, ...keptAlive, ...clientSecurity(this.#key) })
    const fail = (why: string): void => {
      clearTimeout(timer)
      socket.off('secureConnect', succeed).off('error', onError).off('close', onClose)
      socket.on('error', () => {}) // one that comes later
      socket.destroy()
      callback(new NotConnected(why), socket)
    }
    const succeed = (): void => {
      clearTimeout(timer)
      socket.off('error', onError).off('close', onClose)
      callback(null, socket)
    }
    const onError = (error: Error): void => fail(whyNot(error))
    const onClose = (): void => fail('it has closed the connection')
    const ms = this.#connectMs
    const timer = setTimeout(() => fail(`no answer within ${ms / 1000} s`), ms)
    socket.once('secureConnect', succeed).once('error', onError).once('close', onClose)
    return undefined
  }

  /** Keeps no connection any more. Requests that are under way go on. */
  retire(): void {
    this.maxFreeSockets = 0
    for (const sockets of Object.values(this.freeSockets))
      for (const socket of sockets ?? []) socket.destroy()
  }
}

// OpenSSL's texts have addresses of memory in them.
function whyNot(error: Error): string {
  const code = errno(error) ?? ''
  if (/BAD_RECORD_MAC|DECRYPT_ERROR|DECRYPTION_FAILED/.test(code)) return 'it has another state/cluster-key'
  return code.startsWith('ERR_SSL_') ? code : messageOf(error)
}
