// The values of settings: each is read from its text, or refused with a rule.

import { resolve } from 'node:path'
import { parseListenAddresses } from '../addresses/listen-address.js'
import { MAX_SOCKET_PATH_BYTES, parseLocalAddress, type LocalAddress } from '../addresses/local-address.js'
import { pathProblem } from '../addresses/path-in-conf.js'
import { parsePeerAddress, type PeerAddress } from '../addresses/peer-address.js'
import { parseTrustedProxies } from '../addresses/trusted-proxies.js'
import { StartProblem } from '../errors.js'
import { parseImportPrefixes } from '../gomod/import-prefix.js'
import { LOG_LEVELS, type LogLevel } from '../log.js'
import { DEFAULT_RUNTIME } from './runtime-files.js'
import { bad, type Parse, type Setting } from './setting.js'

export const number =
  (least: number, most: number, of: string): Parse<number> =>
  (text, name) => {
    const value = /^[0-9]+$/.test(text) ? Number(text) : NaN
    if (value >= least && value <= most) return value
    throw bad(name, text, `a number of ${of} from ${least} to ${most} is expected`)
  }

export const bytes = (most: number, least = 1): Parse<number> => number(least, most, 'bytes')
export const upToADay = number(1, 86_400, 'seconds')

export const flag: Parse<boolean> = (text, name) => {
  if (text === '0') return false
  if (text === '1') return true
  throw bad(name, text, '0 or 1 is expected')
}

export const DEFAULT_LISTEN = '127.0.0.1:8080'

// A list, whose parser says which text breaks which rule.
const list =
  <T>(read: (text: string) => T[] | { text: string; rule: string }): Parse<T[]> =>
  (text, name) => {
    const items = read(text)
    if (Array.isArray(items)) return items
    throw bad(name, items.text, items.rule)
  }
export const listen = list(parseListenAddresses)
export const trustedProxies = list(parseTrustedProxies)
export const importPrefixes = list(parseImportPrefixes)

export const metrics: Parse<LocalAddress> = (text, name, { PLINTH_LISTEN, PLINTH_HTTP_LISTEN }) => {
  const read = parseLocalAddress(
    text,
    `${PLINTH_LISTEN || DEFAULT_LISTEN},${PLINTH_HTTP_LISTEN ?? ''}`.split(','),
  )
  if (typeof read === 'string') throw bad(name, text, read)
  return read
}

export const internalListen: Parse<PeerAddress> = (text, name, { PLINTH_LISTEN, PLINTH_HTTP_LISTEN }) => {
  const taken = `${PLINTH_LISTEN || DEFAULT_LISTEN},${PLINTH_HTTP_LISTEN ?? ''}`.split(',')
  const read = parsePeerAddress(text, taken)
  if (typeof read === 'string') throw bad(name, text, read)
  return read
}

// nginx's configuration and shell commands have it in them: so it is letters, digits and `. _ ~ -` alone.
const ADDRESS = /^https?:\/\/[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?(?::[0-9]+)?(?:\/[a-z0-9_~-][a-z0-9._~-]*)*\/?$/i

// 'HTTPS://Corp.Example:443/plinth/' → https://corp.example/plinth
export const address: Parse<string> = (text, name) => {
  const url = ADDRESS.test(text) && URL.canParse(text) ? new URL(text) : undefined
  if (!url || url.port === '0' || text.length > 1000 || /\/api\/packages(?:\/|$)/.test(url.pathname))
    throw bad(
      name,
      text,
      'the address of the Plinth itself is expected, as https://plinth.example.com or https://corp.example/plinth',
    )
  return url.href.replace(/\/$/, '')
}

export const level: Parse<LogLevel> = (text, name) => {
  const found = LOG_LEVELS.find((each) => each === text)
  if (found !== undefined) return found
  throw bad(name, text, `${LOG_LEVELS.join(', ')} is expected`)
}

export const path: Parse<string> = (text, name) => {
  const absolute = resolve(text)
  // nginx reads this path from a configuration file and from its command line
  const problem = pathProblem(absolute)
  if (problem !== undefined) throw bad(name, absolute, problem)
  return absolute
}

/** The file of a log: `own` is that of the data folder, where no other may be; `undefined` is none. */
export const logFile = (name: string): Setting<string | undefined> => ({
  names: [name],
  read(env) {
    const { [name]: text = '', PLINTH_DATA: data } = env
    if (['', '0', '1'].includes(text)) return text === '1' ? 'own' : undefined
    const file = path(text, name, env)
    if (!file.startsWith(`${resolve(data || 'data')}/`)) return file
    throw bad(name, text, '1 is expected for a file in the data folder, or the path of one outside of it')
  },
})

/** An absolute folder, short enough for the paths of sockets in it; the default stays relative. */
export const runtimeFolder: Parse<string> = (text, name, env) => {
  if (text === DEFAULT_RUNTIME) return text
  const folder = path(text, name, env)
  const data = resolve(env['PLINTH_DATA'] || 'data')
  if (folder === data || folder.startsWith(`${data}/`))
    throw bad(name, text, 'a folder outside of the data folder, which machines share, is expected')
  const longest = `${folder}/control/nginx.sock`
  if (Buffer.byteLength(longest) <= MAX_SOCKET_PATH_BYTES) return folder
  throw bad(name, text, `it is too long: a socket's path has at most ${MAX_SOCKET_PATH_BYTES} bytes`)
}

export const userName: Parse<string> = (text, name) => {
  if (/^[A-Za-z_][A-Za-z0-9_.-]*$/.test(text)) return text
  throw bad(name, text, 'the name of a user is expected')
}

/** The least length of a token that somebody chose: a fast salted hash does not protect one that can be guessed. */
const MIN_TOKEN_CHARS = 20

export const token: Parse<string> = (text, name) => {
  if (text.length >= MIN_TOKEN_CHARS && /^[\x21-\x7e]+$/.test(text) && !text.includes(':')) return text
  // The value is a secret: it is not quoted.
  throw new StartProblem(
    `${name} is not valid: at least ${MIN_TOKEN_CHARS} printable ASCII characters ` +
      'without space and colon are expected (openssl rand -hex 20)',
  )
}

export const certificateAndKey: Setting<{ cert: string; key: string } | undefined> = {
  names: ['PLINTH_TLS_CERT', 'PLINTH_TLS_KEY'],
  read(env) {
    const { PLINTH_TLS_CERT: cert, PLINTH_TLS_KEY: key } = env
    if (!cert && !key) return undefined
    if (cert && key)
      return { cert: path(cert, 'PLINTH_TLS_CERT', env), key: path(key, 'PLINTH_TLS_KEY', env) }
    const missing = cert ? 'PLINTH_TLS_KEY' : 'PLINTH_TLS_CERT'
    throw new StartProblem(`${missing} is missing: PLINTH_TLS_CERT and PLINTH_TLS_KEY are set together`)
  },
}
