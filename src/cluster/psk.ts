// How machines speak with each other: TLS with a key that both sides have (RFC 4279, RFC 5489). Each proves to the
// other that it has the key, and there are no certificates.

import { constants } from 'node:crypto'
import type { ConnectionOptions, TlsOptions } from 'node:tls'

/** There is one key, so its name says nothing. */
const IDENTITY = 'plinth'

const COMMON = {
  // The only suite of OpenSSL that has a key of both sides, forward secrecy and authenticated encryption. OpenSSL
  // allows it on every security level, and node has it off until it is named.
  ciphers: 'ECDHE-PSK-CHACHA20-POLY1305',
  minVersion: 'TLSv1.2',
  maxVersion: 'TLSv1.2', // node's callback for keys is that of TLS 1.2
  // A session that is taken up again would not need the key.
  secureOptions: constants.SSL_OP_NO_TICKET | constants.SSL_OP_NO_RENEGOTIATION,
} as const

/** For a server that lets in who has `key`. Every name gets the same answer. */
export const serverSecurity = (key: Buffer): TlsOptions => ({ ...COMMON, pskCallback: () => key })

/** For a client that speaks with nobody who does not have `key`. */
export const clientSecurity = (key: Buffer): ConnectionOptions => ({
  ...COMMON,
  pskCallback: () => ({ psk: key, identity: IDENTITY }),
  checkServerIdentity: () => undefined, // it has no certificate: the handshake has proven the key
})
