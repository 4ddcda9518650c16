// The settings: environment variables, read and validated once. The only file that reads process.env.

import { resolve } from 'node:path'
import { StartProblem } from './errors.js'
import { MAX_ZIP_BYTES } from './gomod/check-zip.js'

/** Everything that can be set. Sizes are bytes. */
export type Config = {
  /** PLINTH_DATA, absolute. */
  data: string
  /** PLINTH_LISTEN as nginx takes it: `127.0.0.1:8080`, `[::1]:8080`, `*:80`. */
  listen: string
  /** PLINTH_ADMIN_TOKEN: the first run's token, when it should not be generated. */
  adminToken: string | undefined
  /** PLINTH_MAX_MODULE_BYTES */
  maxModuleBytes: number
  /** PLINTH_MAX_FILE_BYTES */
  maxFileBytes: number
  /** PLINTH_STRICT: warnings about a module zip refuse it. */
  strict: boolean
  /** PLINTH_MIN_FREE_BYTES: uploads leave this much free on the data folder's file system. */
  minFreeBytes: number
  /** PLINTH_MAX_UPLOADS: uploads taken at once. */
  maxUploads: number
  /** PLINTH_BODY_IDLE_SECONDS and PLINTH_BODY_SECONDS: how long a body may stand still, and take. */
  bodyIdleSeconds: number
  bodySeconds: number
  /** PLINTH_STOP_SECONDS: how long what is under way may take after SIGTERM. */
  stopSeconds: number
  /** PLINTH_STANDBY: wait for the end of the service that runs on the data folder, then take over. */
  standby: boolean
  /** PLINTH_INBOX: files in the folder inbox/ are published. */
  inbox: boolean
  /** PLINTH_INBOX_SETTLE_SECONDS: how long a file there must have been left alone. */
  inboxSettleSeconds: number
  /** PLINTH_NGINX: the nginx program. */
  nginx: string
  /** PLINTH_NGINX_USER: whom nginx's workers run as when it is started by root. */
  nginxUser: string | undefined
  /** PLINTH_TLS_CERT and PLINTH_TLS_KEY, absolute: PEM files; without them nginx speaks plain http. */
  tls: { cert: string; key: string } | undefined
  /** PLINTH_HTTP_LISTEN: where plain http is redirected to https, like PLINTH_LISTEN. */
  httpListen: string | undefined
  /** PLINTH_HSTS: seconds for which browsers are told to come by https only. */
  hsts: number | undefined
  /** PLINTH_FAILED_LOGINS: wrong credentials a second from one address before the answers to them wait. */
  failedLogins: number
}

/** Ten years. */
const MAX_HSTS_SECONDS = 315_360_000

type Environment = Record<string, string | undefined>

/** Characters that a token of one's own must have: a fast salted hash is no protection for a guessable one. */
export const MIN_TOKEN_CHARS = 20

const bad = (name: string, value: string, rule: string): StartProblem =>
  new StartProblem(`${name}=${JSON.stringify(value)} is not valid: ${rule}`)

type Range = [least: number, most: number, of: string]

function count(env: Environment, name: string, [least, most, of]: Range): number | undefined {
  const text = env[name]
  if (text === undefined || text === '') return undefined
  const value = /^[0-9]+$/.test(text) ? Number(text) : NaN
  if (value >= least && value <= most) return value
  throw bad(name, text, `a number of ${of} from ${least} to ${most} is expected`)
}

const number = (env: Environment, name: string, fallback: number, range: Range): number =>
  count(env, name, range) ?? fallback

const bytes = (env: Environment, name: string, fallback: number, most: number): number =>
  number(env, name, fallback, [1, most, 'bytes'])
const DAY: Range = [1, 86_400, 'seconds']

function flag(env: Environment, name: string, fallback = false): boolean {
  const text = env[name] ?? ''
  if (text === '') return fallback
  if (text === '0') return false
  if (text === '1') return true
  throw bad(name, text, '0 or 1 is expected')
}

function listen(name: 'PLINTH_LISTEN' | 'PLINTH_HTTP_LISTEN', text: string): string {
  const match = /^(?:(?:[A-Za-z0-9.-]+|\*)|\[[0-9A-Fa-f:.]+\]):([0-9]{1,5})$/.exec(text)
  const port = Number(match?.[1] ?? NaN)
  if (port >= 1 && port <= 65535) return text
  throw bad(name, text, 'host:port is expected, as 127.0.0.1:8080, [::1]:8080 or *:80')
}

function path(name: string, text: string): string {
  const absolute = resolve(text)
  // nginx reads this path from a configuration file and from its command line
  if (/["'$;{}\\\p{Cc}]/u.test(absolute))
    throw bad(name, absolute, 'no quotes, $ ; { } \\ or control characters')
  if (Buffer.byteLength(absolute) > 1000) throw bad(name, absolute, 'at most 1000 bytes')
  return absolute
}

function tls(env: Environment): Config['tls'] {
  const { PLINTH_TLS_CERT: cert, PLINTH_TLS_KEY: key } = env
  if (!cert && !key) return undefined
  if (cert && key) return { cert: path('PLINTH_TLS_CERT', cert), key: path('PLINTH_TLS_KEY', key) }
  throw new StartProblem(
    `${cert ? 'PLINTH_TLS_KEY' : 'PLINTH_TLS_CERT'} is missing: PLINTH_TLS_CERT and PLINTH_TLS_KEY are set together`,
  )
}

// What is about https only is a mistake without it: the person believes to be protected.
function withTls<T>(env: Environment, name: string, value: T | undefined): T | undefined {
  if (value === undefined || env.PLINTH_TLS_CERT) return value
  throw new StartProblem(`${name} needs PLINTH_TLS_CERT and PLINTH_TLS_KEY: there is no https without them`)
}

function adminToken(env: Environment): string | undefined {
  const token = env.PLINTH_ADMIN_TOKEN
  if (token === undefined || token === '') return undefined
  if (token.length >= MIN_TOKEN_CHARS && /^[\x21-\x7e]+$/.test(token) && !token.includes(':')) return token
  // The value is a secret: it is not quoted.
  throw new StartProblem(
    `PLINTH_ADMIN_TOKEN is not valid: at least ${MIN_TOKEN_CHARS} printable ASCII characters without space and colon are expected (openssl rand -hex 20)`,
  )
}

function nginxUser(env: Environment): string | undefined {
  const name = env.PLINTH_NGINX_USER
  if (name === undefined || name === '') return undefined
  if (/^[A-Za-z_][A-Za-z0-9_.-]*$/.test(name)) return name
  throw bad('PLINTH_NGINX_USER', name, 'the name of a user is expected')
}

const KNOWN = [
  'PLINTH_DATA',
  'PLINTH_LISTEN',
  'PLINTH_ADMIN_TOKEN',
  'PLINTH_MAX_MODULE_BYTES',
  'PLINTH_MAX_FILE_BYTES',
  'PLINTH_STRICT',
  'PLINTH_MIN_FREE_BYTES',
  'PLINTH_MAX_UPLOADS',
  'PLINTH_BODY_IDLE_SECONDS',
  'PLINTH_BODY_SECONDS',
  'PLINTH_STOP_SECONDS',
  'PLINTH_STANDBY',
  'PLINTH_INBOX',
  'PLINTH_INBOX_SETTLE_SECONDS',
  'PLINTH_NGINX',
  'PLINTH_NGINX_USER',
  'PLINTH_TLS_CERT',
  'PLINTH_TLS_KEY',
  'PLINTH_HTTP_LISTEN',
  'PLINTH_HSTS',
  'PLINTH_FAILED_LOGINS',
]

/** Those of `npx plinth publish`, which may stand in the same environment. */
const PUBLISHING = ['PLINTH_URL', 'PLINTH_OWNER', 'PLINTH_TOKEN', 'PLINTH_ACCOUNT']

/** Settings that begin like ours and are none: most likely misspelt. */
export const unknownSettings = (env: Environment = process.env): string[] =>
  Object.keys(env).filter((name) => name.startsWith('PLINTH_') && ![...KNOWN, ...PUBLISHING].includes(name))

/** Reads the settings; throws {@link StartProblem} that names the first bad one. An empty value is an unset one. */
export function readConfig(env: Environment = process.env): Config {
  return {
    data: path('PLINTH_DATA', env.PLINTH_DATA || 'data'),
    listen: listen('PLINTH_LISTEN', env.PLINTH_LISTEN || '127.0.0.1:8080'),
    adminToken: adminToken(env),
    maxModuleBytes: bytes(env, 'PLINTH_MAX_MODULE_BYTES', MAX_ZIP_BYTES, MAX_ZIP_BYTES),
    maxFileBytes: bytes(env, 'PLINTH_MAX_FILE_BYTES', 10 * 2 ** 30, Number.MAX_SAFE_INTEGER),
    strict: flag(env, 'PLINTH_STRICT'),
    minFreeBytes: number(env, 'PLINTH_MIN_FREE_BYTES', 64 * 2 ** 20, [0, Number.MAX_SAFE_INTEGER, 'bytes']),
    maxUploads: number(env, 'PLINTH_MAX_UPLOADS', 256, [1, 10_000, 'uploads']),
    bodyIdleSeconds: number(env, 'PLINTH_BODY_IDLE_SECONDS', 50, DAY),
    bodySeconds: number(env, 'PLINTH_BODY_SECONDS', 7200, DAY),
    stopSeconds: number(env, 'PLINTH_STOP_SECONDS', 30, DAY),
    standby: flag(env, 'PLINTH_STANDBY'),
    inbox: flag(env, 'PLINTH_INBOX', true),
    inboxSettleSeconds: number(env, 'PLINTH_INBOX_SETTLE_SECONDS', 5, [0, 86_400, 'seconds']),
    nginx: env.PLINTH_NGINX || 'nginx',
    nginxUser: nginxUser(env),
    tls: tls(env),
    httpListen: withTls(
      env,
      'PLINTH_HTTP_LISTEN',
      env.PLINTH_HTTP_LISTEN ? listen('PLINTH_HTTP_LISTEN', env.PLINTH_HTTP_LISTEN) : undefined,
    ),
    hsts: withTls(env, 'PLINTH_HSTS', count(env, 'PLINTH_HSTS', [1, MAX_HSTS_SECONDS, 'seconds'])),
    failedLogins: number(env, 'PLINTH_FAILED_LOGINS', 5, [1, 1_000_000, 'wrong credentials a second']),
  }
}
