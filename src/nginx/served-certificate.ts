// The certificate that clients see. It is not always the one in the file: nginx goes on with what it has loaded.

import { once } from 'node:events'
import { isIP, type NetConnectOpts } from 'node:net'
import { connect } from 'node:tls'
import { endOfCertificate } from './certificate.js'

/** How long nginx may take, in ms. */
const ANSWER_MS = 1000

/**
 * When the certificate expires that is served at `where`, in ms since the epoch; `undefined` when nobody speaks TLS
 * there within `ms`. So it is for the name of a host: nothing ends the search for its address in time.
 */
export async function servedCertificateEnd(
  where: NetConnectOpts,
  ms = ANSWER_MS,
): Promise<number | undefined> {
  if ('host' in where && isIP(where.host ?? '') === 0) return undefined
  // An expired one is to be seen, too. Nothing is sent, and nothing else of the other side is believed.
  const socket = connect({ ...where, rejectUnauthorized: false })
  try {
    await once(socket, 'secureConnect', { signal: AbortSignal.timeout(ms) })
    const certificate = socket.getPeerX509Certificate()
    return certificate && endOfCertificate(certificate)
  } catch {
    return undefined // nobody is there, or another protocol is spoken
  } finally {
    socket.on('error', () => {}) // one that comes later
    socket.destroy()
  }
}
