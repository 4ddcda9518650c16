// Signed heads of a checksum database, its names and keys: golang.org/x/mod/sumdb/note and the tree notes of tlog.
// Pure: node:crypto computes, nothing is read or written.
//
// A head is a text of three lines, an empty line, and a line with the signature:
//
//   go.sum database tree
//   {records}
//   {root, base64}
//
//   — {name} {base64 of the key's id and the signature}

import { createHash, createPrivateKey, createPublicKey, generateKeyPairSync, sign, verify } from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import { HASH_BYTES } from './hashes.js'

/** Who checks heads. `id` is the hash of name and key, 8 hex digits. */
export type Verifier = { name: string; id: string; key: KeyObject }
/** Who signs heads. */
export type Signer = Verifier & { secret: KeyObject }
/** How many records a log has, and its root of 32 bytes. */
export type Head = { size: number; root: Buffer }

const ED25519 = 0x01
const KEY_BYTES = 32
/** RFC 8410: what comes before the 32 bytes of a key in DER. */
const PKCS8 = Buffer.from('302e020100300506032b657004220420', 'hex')
const SPKI = Buffer.from('302a300506032b6570032100', 'hex')
const MAX_NAME_CHARS = 100

/** Why `name` cannot be the name of a database; `undefined` when it can. */
export function checkDatabaseName(name: string): string | undefined {
  if (name.length > MAX_NAME_CHARS) return `it has over ${MAX_NAME_CHARS} characters`
  if (!/^[a-z0-9.-]+(?:\/[a-z0-9.-]+)*$/.test(name))
    return 'it is not made of a-z, 0-9, "." and "-" in elements between slashes'
  const elements = name.split('/')
  if (elements.some((element) => /^\.+$/.test(element))) return 'it has an element of dots alone'
  return elements[0]?.includes('.') ? undefined : 'its first element has no dot, as a domain has'
}

const rawKey = (key: KeyObject): Buffer => key.export({ type: 'spki', format: 'der' }).subarray(SPKI.length)

const rawSecret = (secret: KeyObject): Buffer =>
  secret.export({ type: 'pkcs8', format: 'der' }).subarray(PKCS8.length)

// the first 4 bytes of SHA-256(name ⏎ algorithm key)
const idOf = (name: string, raw: Uint8Array): string =>
  createHash('sha256').update(`${name}\n`).update(Buffer.of(ED25519)).update(raw).digest('hex').slice(0, 8)

function signerOf(name: string, secret: KeyObject): Signer {
  const key = createPublicKey(secret)
  return { name, id: idOf(name, rawKey(key)), key, secret }
}

/** A new key under this name. */
export const newSigner = (name: string): Signer => signerOf(name, generateKeyPairSync('ed25519').privateKey)

const keyText = (raw: Uint8Array): string => Buffer.concat([Buffer.of(ED25519), raw]).toString('base64')

/** The secret text of a key: `PRIVATE+KEY+{name}+{id}+{base64}`, without an end of line. */
export const signerText = ({ name, id, secret }: Signer): string =>
  `PRIVATE+KEY+${name}+${id}+${keyText(rawSecret(secret))}`

/** What clients have in GOSUMDB: `{name}+{id}+{base64}`. */
export const verifierText = ({ name, id, key }: Verifier): string => `${name}+${id}+${keyText(rawKey(key))}`

/** The 32 bytes of a key in a text; `undefined` for any other text. */
function keyBytes(text: string): Buffer | undefined {
  const bytes = Buffer.from(text, 'base64')
  if (bytes.toString('base64') !== text || bytes.length !== KEY_BYTES + 1) return undefined
  return bytes[0] === ED25519 ? bytes.subarray(1) : undefined
}

/** Reads a {@link signerText}, with an end of line or without; `undefined` for any other text. */
export function parseSigner(text: string): Signer | undefined {
  const [, name = '', id, base64 = ''] = /^PRIVATE\+KEY\+([^+\s]+)\+([0-9a-f]{8})\+(\S+)\n?$/.exec(text) ?? []
  const seed = keyBytes(base64)
  if (!seed) return undefined
  const key = Buffer.concat([PKCS8, seed])
  const signer = signerOf(name, createPrivateKey({ key, format: 'der', type: 'pkcs8' }))
  return signer.id === id ? signer : undefined
}

/** Reads a {@link verifierText}; `undefined` for any other text. */
export function parseVerifier(text: string): Verifier | undefined {
  const [, name = '', id = '', base64 = ''] = /^([^+\s]+)\+([0-9a-f]{8})\+(\S+)$/.exec(text) ?? []
  const raw = keyBytes(base64)
  if (!raw || idOf(name, raw) !== id) return undefined
  const der = Buffer.concat([SPKI, raw])
  return { name, id, key: createPublicKey({ key: der, format: 'der', type: 'spki' }) }
}

const treeText = ({ size, root }: Head): string =>
  `go.sum database tree\n${size}\n${root.toString('base64')}\n`

/** The 64 bytes under a head. The same key and head have the same signature. */
export const signatureOf = ({ secret }: Signer, head: Head): Buffer =>
  sign(null, Buffer.from(treeText(head)), secret)

/** Whether this is the signature under a head. */
export const isSignatureOf = ({ key }: Verifier, head: Head, signature: Uint8Array): boolean =>
  verify(null, Buffer.from(treeText(head)), key, signature)

/** A head with its signature, as clients read it. */
export const headText = ({ name, id }: Verifier, head: Head, signature: Uint8Array): string =>
  `${treeText(head)}\n— ${name} ${Buffer.concat([Buffer.from(id, 'hex'), signature]).toString('base64')}\n`

/**
 * Reads a signed head with the 64 bytes of its signature. `undefined` for any other text, and when no line has a
 * signature of this verifier that is right. Lines of others, witnesses say, are let through.
 */
export function openSigned(text: string, verifier: Verifier): (Head & { signature: Buffer }) | undefined {
  const [, tree = '', size = '', base64 = '', lines = ''] =
    /^(go\.sum database tree\n(\d{1,15})\n([A-Za-z0-9+/]{43}=)\n)\n((?:— [^\n]+\n)+)$/.exec(text) ?? []
  const root = Buffer.from(base64, 'base64')
  const head = { size: Number(size), root }
  if (root.length !== HASH_BYTES || treeText(head) !== tree) return undefined
  for (const line of lines.split('\n')) {
    const [, name, encoded = ''] = line.split(' ')
    const bytes = Buffer.from(encoded, 'base64')
    if (name !== verifier.name || bytes.subarray(0, 4).toString('hex') !== verifier.id) continue
    const signature = bytes.subarray(4)
    if (isSignatureOf(verifier, head, signature)) return { ...head, signature }
  }
  return undefined
}

/** Reads a signed head as {@link openSigned} does. */
export function openHead(text: string, verifier: Verifier): Head | undefined {
  const head = openSigned(text, verifier)
  return head && { size: head.size, root: head.root }
}
