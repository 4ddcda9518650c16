// The settings: environment variables, read and validated once. The only file that reads process.env.

import { resolve } from 'node:path'
import { parseLocalAddress, type LocalAddress } from './addresses/local-address.js'
import { quote, StartProblem } from './errors.js'
import { MAX_ZIP_BYTES } from './gomod/check-zip.js'
import { parseImportPrefixes, type ImportPrefix } from './gomod/import-prefix.js'

export type Environment = Readonly<Record<string, string | undefined>>

/** The one setting that is a secret. */
const ADMIN_TOKEN = 'PLINTH_ADMIN_TOKEN'

/** What is for this process alone: the secret, and what a service manager told it. A child has no use for them. */
const NOT_FOR_CHILDREN = [ADMIN_TOKEN, 'NOTIFY_SOCKET', 'WATCHDOG_USEC', 'WATCHDOG_PID']

/** The environment for those who read a variable that is not a setting, or start a child process. */
export const environment = (): Environment =>
  Object.fromEntries(Object.entries(process.env).filter(([name]) => !NOT_FOR_CHILDREN.includes(name)))

/**
 * What a service manager, systemd say, told this process: the socket on which it wants to hear of its state
 * (sd_notify(3)), and in ms how often it wants to hear that all is well (sd_watchdog_enabled(3)).
 */
export function toldByServiceManager(): { socket: string | undefined; watchdogMs: number | undefined } {
  const { NOTIFY_SOCKET: socket, WATCHDOG_USEC: usec, WATCHDOG_PID: pid } = process.env
  const isForUs = Number(usec) > 0 && (!pid || Number(pid) === process.pid)
  return { socket: socket || undefined, watchdogMs: isForUs ? Number(usec) / 1000 : undefined }
}

/** Turns the text of the setting `name` into its value. Throws a {@link StartProblem} that names the setting. */
type Parse<T> = (text: string, name: string, env: Environment) => T

/** One field of {@link Config}: the settings that it is read from, and how. */
type Setting<T> = { names: readonly string[]; read: (env: Environment) => T }

// A setting with a default. The default is written as people write the setting.
const setting = <T>(name: string, parse: Parse<T>, fallback: string): Setting<T> => ({
  names: [name],
  read: (env) => parse(env[name] || fallback, name, env),
})

const optional = <T>(name: string, parse: Parse<T>): Setting<T | undefined> => ({
  names: [name],
  read: (env) => (env[name] ? parse(env[name], name, env) : undefined),
})

// A setting that concerns https is a mistake without TLS: its user believes in a protection that does not exist.
const onlyWithTls = <T>({ names, read }: Setting<T | undefined>): Setting<T | undefined> => ({
  names,
  read(env) {
    const value = read(env)
    if (value === undefined || env['PLINTH_TLS_CERT']) return value
    throw new StartProblem(
      `${names.join()} needs PLINTH_TLS_CERT and PLINTH_TLS_KEY: there is no https without them`,
    )
  },
})

const bad = (name: string, value: string, rule: string): StartProblem =>
  new StartProblem(`${name}=${quote(value)} is not valid: ${rule}`)

const number =
  (least: number, most: number, of: string): Parse<number> =>
  (text, name) => {
    const value = /^[0-9]+$/.test(text) ? Number(text) : NaN
    if (value >= least && value <= most) return value
    throw bad(name, text, `a number of ${of} from ${least} to ${most} is expected`)
  }

const bytes = (most: number): Parse<number> => number(1, most, 'bytes')
const upToADay = number(1, 86_400, 'seconds')

const flag: Parse<boolean> = (text, name) => {
  if (text === '0') return false
  if (text === '1') return true
  throw bad(name, text, '0 or 1 is expected')
}

const DEFAULT_LISTEN = '127.0.0.1:8080'
const listen: Parse<string> = (text, name) => {
  const match = /^(?:(?:[A-Za-z0-9.-]+|\*)|\[[0-9A-Fa-f:.]+\]):([0-9]{1,5})$/.exec(text)
  const port = Number(match?.[1] ?? NaN)
  if (port >= 1 && port <= 65535) return text
  throw bad(name, text, 'host:port is expected, as 127.0.0.1:8080, [::1]:8080 or *:80')
}

const metrics: Parse<LocalAddress> = (text, name, { PLINTH_LISTEN, PLINTH_HTTP_LISTEN }) => {
  const read = parseLocalAddress(text, [PLINTH_LISTEN || DEFAULT_LISTEN, PLINTH_HTTP_LISTEN ?? ''])
  if (typeof read === 'string') throw bad(name, text, read)
  return read
}

// nginx's configuration and shell commands have it in them: so it is letters, digits and `. _ ~ -` alone.
const ADDRESS = /^https?:\/\/[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?(?::[0-9]+)?(?:\/[a-z0-9_~-][a-z0-9._~-]*)*\/?$/i

// 'HTTPS://Corp.Example:443/plinth/' → https://corp.example/plinth
const address: Parse<string> = (text, name) => {
  const url = ADDRESS.test(text) && URL.canParse(text) ? new URL(text) : undefined
  if (!url || url.port === '0' || text.length > 1000 || /\/api\/packages(?:\/|$)/.test(url.pathname))
    throw bad(
      name,
      text,
      'the address of the Plinth itself is expected, as https://plinth.example.com or https://corp.example/plinth',
    )
  return url.href.replace(/\/$/, '')
}

const importPrefixes: Parse<ImportPrefix[]> = (text, name) => {
  const read = parseImportPrefixes(text)
  if (Array.isArray(read)) return read
  throw bad(name, read.value, read.rule)
}

const path: Parse<string> = (text, name) => {
  const absolute = resolve(text)
  // nginx reads this path from a configuration file and from its command line
  if (/["'$;{}\\\p{Cc}]/u.test(absolute))
    throw bad(name, absolute, 'no quotes, $ ; { } \\ or control characters')
  if (Buffer.byteLength(absolute) > 1000) throw bad(name, absolute, 'at most 1000 bytes')
  return absolute
}

const program: Parse<string> = (text) => text

const userName: Parse<string> = (text, name) => {
  if (/^[A-Za-z_][A-Za-z0-9_.-]*$/.test(text)) return text
  throw bad(name, text, 'the name of a user is expected')
}

/** The least length of a token that somebody chose: a fast salted hash does not protect one that can be guessed. */
const MIN_TOKEN_CHARS = 20

const token: Parse<string> = (text, name) => {
  if (text.length >= MIN_TOKEN_CHARS && /^[\x21-\x7e]+$/.test(text) && !text.includes(':')) return text
  // The value is a secret: it is not quoted.
  throw new StartProblem(
    `${name} is not valid: at least ${MIN_TOKEN_CHARS} printable ASCII characters ` +
      'without space and colon are expected (openssl rand -hex 20)',
  )
}

const certificateAndKey: Setting<{ cert: string; key: string } | undefined> = {
  names: ['PLINTH_TLS_CERT', 'PLINTH_TLS_KEY'],
  read({ PLINTH_TLS_CERT: cert, PLINTH_TLS_KEY: key }) {
    if (!cert && !key) return undefined
    if (cert && key) return { cert: path(cert, 'PLINTH_TLS_CERT', {}), key: path(key, 'PLINTH_TLS_KEY', {}) }
    const missing = cert ? 'PLINTH_TLS_KEY' : 'PLINTH_TLS_CERT'
    throw new StartProblem(`${missing} is missing: PLINTH_TLS_CERT and PLINTH_TLS_KEY are set together`)
  },
}

/** Ten years. */
const MAX_HSTS_SECONDS = 315_360_000

/** Every setting, under its field of {@link Config}. Sizes are bytes. */
const SETTINGS = {
  /** The data folder, absolute. */
  data: setting('PLINTH_DATA', path, 'data'),
  /** The address that nginx listens on, as nginx takes it: `127.0.0.1:8080`, `[::1]:8080`, `*:80`. */
  listen: setting('PLINTH_LISTEN', listen, DEFAULT_LISTEN),
  /** The address that clients use, when it is not the one that nginx listens on: no slash at its end. */
  publicUrl: optional('PLINTH_PUBLIC_URL', address),
  /** Whose modules the import paths of other domains are; a longer prefix comes before one that it is below. */
  importPrefixes: setting('PLINTH_IMPORT_PREFIXES', importPrefixes, ''),
  /** Whether pages load the images of READMEs, over https. */
  readmeImages: setting('PLINTH_README_IMAGES', flag, '0'),
  /** The first run's token; without it one is generated. */
  adminToken: optional(ADMIN_TOKEN, token),
  /** The largest module zip. */
  maxModuleBytes: setting('PLINTH_MAX_MODULE_BYTES', bytes(MAX_ZIP_BYTES), String(MAX_ZIP_BYTES)),
  /** The largest generic file. */
  maxFileBytes: setting('PLINTH_MAX_FILE_BYTES', bytes(Number.MAX_SAFE_INTEGER), String(10 * 2 ** 30)),
  /** A warning about a module zip refuses the zip. */
  strict: setting('PLINTH_STRICT', flag, '0'),
  /** Uploads leave this much free on the data folder's file system. */
  minFreeBytes: setting(
    'PLINTH_MIN_FREE_BYTES',
    number(0, Number.MAX_SAFE_INTEGER, 'bytes'),
    String(64 * 2 ** 20),
  ),
  /** Uploads that are taken at once. */
  maxUploads: setting('PLINTH_MAX_UPLOADS', number(1, 10_000, 'uploads'), '256'),
  /** How long a body may stand still. */
  bodyIdleSeconds: setting('PLINTH_BODY_IDLE_SECONDS', upToADay, '50'),
  /** How long a body may take. */
  bodySeconds: setting('PLINTH_BODY_SECONDS', upToADay, '7200'),
  /** Bytes a second that a body must bring on average, after its first minute; 0 is no limit. */
  bodyMinRate: setting('PLINTH_BODY_MIN_RATE', number(0, 2 ** 30, 'bytes a second'), '1024'),
  /** How long uploads and deletes in flight may take after SIGTERM. */
  stopSeconds: setting('PLINTH_STOP_SECONDS', upToADay, '30'),
  /** Wait for the end of the service that runs on the data folder, then take over. */
  standby: setting('PLINTH_STANDBY', flag, '0'),
  /** Files in the folder inbox/ are published. */
  inbox: setting('PLINTH_INBOX', flag, '1'),
  /** How long a file in inbox/ must have been left alone before it is published. */
  inboxSettleSeconds: setting('PLINTH_INBOX_SETTLE_SECONDS', number(0, 86_400, 'seconds'), '5'),
  /** The nginx program. */
  nginx: setting('PLINTH_NGINX', program, 'nginx'),
  /** The user of nginx's workers when nginx is started by root. */
  nginxUser: optional('PLINTH_NGINX_USER', userName),
  /** Two PEM files, absolute paths. Without them nginx speaks plain http. */
  tls: certificateAndKey,
  /** The address where plain http is redirected to https. */
  httpListen: onlyWithTls(optional('PLINTH_HTTP_LISTEN', listen)),
  /** Seconds for which browsers are told to come by https only. */
  hsts: onlyWithTls(optional('PLINTH_HSTS', number(1, MAX_HSTS_SECONDS, 'seconds'))),
  /** Requests of one address that nginx has under way at once; 0 is no limit. */
  connectionsPerAddress: setting('PLINTH_CONNECTIONS_PER_ADDRESS', number(0, 1_000_000, 'requests'), '512'),
  /** Wrong credentials a second from one address before their answers are delayed. */
  failedLogins: setting('PLINTH_FAILED_LOGINS', number(1, 1_000_000, 'wrong credentials a second'), '5'),
  /** Uploads and deletes a second from one address. More of them wait; 0 is no limit. */
  writeRate: setting('PLINTH_WRITE_RATE', number(0, 1_000_000, 'requests a second'), '200'),
  /** Requests a second from one address for Gitea's API. More of them wait. */
  remoteCommands: setting('PLINTH_REMOTE_COMMANDS', flag, '1'),
  apiRate: setting('PLINTH_API_RATE', number(1, 1_000_000, 'requests a second'), '100'),
  /** Where the service tells its metrics; nowhere without it. */
  metrics: optional('PLINTH_METRICS', metrics),
}

/** Everything that can be set. */
export type Config = {
  [Field in keyof typeof SETTINGS]: ReturnType<(typeof SETTINGS)[Field]['read']>
}

/** The names of all settings of the service. */
export const settingNames: readonly string[] = Object.values(SETTINGS).flatMap(({ names }) => names)

/** The settings of `plinth publish`, which may be in the same environment. */
const PUBLISHING = ['PLINTH_URL', 'PLINTH_OWNER', 'PLINTH_TOKEN', 'PLINTH_ACCOUNT']

/** Variables that begin like a setting and are not one: most likely misspelt. */
export const unknownSettings = (env = environment()): string[] =>
  Object.keys(env).filter(
    (name) => name.startsWith('PLINTH_') && ![...settingNames, ...PUBLISHING].includes(name),
  )

/**
 * Reads the settings, without `env` those of this process, and then takes the secret out of its environment. Throws a
 * {@link StartProblem} that names the first bad one. An empty value is an unset one.
 */
export function readConfig(env?: Environment): Config {
  const from = env ?? { ...process.env }
  if (env === undefined) delete process.env[ADMIN_TOKEN]
  return Object.fromEntries(
    Object.entries(SETTINGS).map(([field, { read }]) => [field, read(from)]),
  ) as Config
}
