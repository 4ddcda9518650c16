// The checksum database that PLINTH_SUMDB names, as anybody reads it: over https or http, or from a folder.

import { constants } from 'node:fs'
import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { errno, quote, visible } from '../errors.js'
import type { DatabaseFiles } from '../sumdb/database-client.js'
import { parseVerifier, type Verifier } from '../sumdb/note.js'
import { askBytes, connectionsTo } from './http.js'
import { refusalOf } from './refusal.js'
import { readerLogin } from './server.js'
import { readerSettings } from './settings.js'

/** Who signs the heads, and where the files are. */
type NamedDatabase = { verifier: Verifier; url: URL }

const EXPECTED = 'PLINTH_SUMDB=\'NAME+ID+KEY URL\', as "plinth sumdb show" prints it'
const IDLE_MS = 60_000

const MEANING = {
  401: 'it needs the credentials of an account: a line in ~/.netrc, or PLINTH_URL with PLINTH_TOKEN',
  403: 'these credentials have no right to read there',
}

/** Reads the setting. Throws with what is expected. */
export function parseDatabase(text: string | undefined): NamedDatabase {
  if (!text?.trim()) throw new Error(`the checksum database is missing: set ${EXPECTED}`)
  const [key = '', address = '', ...more] = text.trim().split(/\s+/)
  const verifier = parseVerifier(key)
  if (!verifier) throw new Error(`${quote(key)} is not the key of a checksum database: set ${EXPECTED}`)
  const url = URL.canParse(address) ? new URL(address) : undefined
  if (!url || more.length > 0 || !['https:', 'http:', 'file:'].includes(url.protocol))
    throw new Error(`PLINTH_SUMDB has no URL behind the key, of https, http or a file: set ${EXPECTED}`)
  // not quoted: it holds a secret
  if (url.username !== '' || url.password !== '')
    throw new Error('the URL in PLINTH_SUMDB holds a password: leave it out, and write a line into ~/.netrc')
  if (url.search !== '' || url.hash !== '')
    throw new Error(`the URL in PLINTH_SUMDB is that of a folder, without a query: ${quote(address)}`)
  return { verifier, url }
}

/** The files of the database, at most `atOnce` of them read at a time. `close` ends the connections. */
export function filesOf(
  { url }: NamedDatabase,
  atOnce: number,
  allowHttp: boolean,
): DatabaseFiles & { close: () => void } {
  if (url.protocol === 'file:') return { read: readerBelow(fileURLToPath(url)), close: () => {} }
  const base = url.href.replace(/\/+$/, '')
  const login = readerLogin(url, readerSettings(url), allowHttp)
  const headers = login ? { Authorization: login.authorization } : {}
  const connections = connectionsTo(base, atOnce)
  return {
    async read(path, most) {
      const request = { method: 'GET', url: `${base}/${path}`, headers, idleMs: IDLE_MS, connections }
      const { bytes, ...answer } = await askBytes(request, most)
      if (answer.status === 200) return bytes
      if (answer.status === 404 || answer.status === 410) return undefined
      if (answer.status >= 300 && answer.status < 400) throw notFollowed(request.url, answer.headers.location)
      throw refusalOf(request.url, { ...answer, body: bytes.toString() }, MEANING)
    },
    close: () => connections.destroy(),
  }
}

const SHOWN_ADDRESS_CHARS = 300

const notFollowed = (url: string, location = 'nowhere'): Error =>
  new Error(
    `${url} sends us to ${visible(location).slice(0, SHOWN_ADDRESS_CHARS)}, which is not followed: ` +
      'PLINTH_SUMDB has the URL of the database itself',
  )

const readerBelow =
  (folder: string): DatabaseFiles['read'] =>
  async (path, most) => {
    const at = join(folder, path)
    // a pipe would keep us waiting for who writes it
    const file = await open(at, constants.O_RDONLY | constants.O_NONBLOCK).catch((error: unknown) => {
      if (errno(error) === 'ENOENT') return undefined
      throw error
    })
    try {
      const stat = await file?.stat()
      if (!file || !stat) return undefined
      if (!stat.isFile()) throw new Error(`${at} is not a file`)
      if (stat.size > most) throw new Error(`${at} is larger than ${most} bytes`)
      return await file.readFile()
    } finally {
      await file?.close()
    }
  }
