// What the process runs with. The settings: environment variables, read and validated once, in the only file that reads
// process.env. And its version.

import { readFileSync } from 'node:fs'
import { MAX_ZIP_BYTES } from './gomod/check-zip.js'
import {
  number,
  bytes,
  upToADay,
  flag,
  DEFAULT_LISTEN,
  listen,
  metrics,
  address,
  importPrefixes,
  trustedProxies,
  level,
  path,
  logFile,
  runtimeFolder,
  internalListen,
  userName,
  token,
  certificateAndKey,
} from './settings/parsers.js'
import { DEFAULT_RUNTIME } from './settings/runtime-files.js'
import { onlyWithTls, optional, setting, type Environment } from './settings/setting.js'

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

/** Ten years. */
const MAX_HSTS_SECONDS = 315_360_000

/** Every setting, under its field of {@link Config}. Sizes are bytes. */
const SETTINGS = {
  /** The data folder, absolute. */
  data: setting('PLINTH_DATA', path, 'data'),
  /** The folder of what belongs to one machine's processes: absolute, or `state` in the data folder. */
  runtime: setting('PLINTH_RUNTIME', runtimeFolder, DEFAULT_RUNTIME),
  /** Where nginx listens, one place at least. */
  listen: setting('PLINTH_LISTEN', listen, DEFAULT_LISTEN),
  /** The address that clients use, when it is not the one that nginx listens on: no slash at its end. */
  publicUrl: optional('PLINTH_PUBLIC_URL', address),
  /** Addresses and ranges of the proxies whose word on the client is taken, and `unix:` for sockets. */
  trustedProxies: setting('PLINTH_TRUSTED_PROXIES', trustedProxies, ''),
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
  minFreeBytes: setting('PLINTH_MIN_FREE_BYTES', bytes(Number.MAX_SAFE_INTEGER, 0), String(64 * 2 ** 20)),
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
  /** After so long without an answer of the data folder, the service of one of several machines ends. */
  leaseSeconds: setting('PLINTH_LEASE_SECONDS', number(1, 3600, 'seconds'), '20'),
  /** Files in the folder inbox/ are published. */
  inbox: setting('PLINTH_INBOX', flag, '1'),
  /** How long a file in inbox/ must have been left alone before it is published. */
  inboxSettleSeconds: setting('PLINTH_INBOX_SETTLE_SECONDS', number(0, 86_400, 'seconds'), '5'),
  /** The nginx program. */
  nginx: setting('PLINTH_NGINX', (text) => text, 'nginx'),
  /** The user of nginx's workers when nginx is started by root. */
  nginxUser: optional('PLINTH_NGINX_USER', userName),
  /** Two PEM files, absolute paths. Without them nginx speaks plain http. */
  tls: certificateAndKey,
  /** Where plain http is redirected to https. */
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
  /** How long a shared cache may keep what anybody may read, before it asks again; 0 is not at all. */
  sharedCacheSeconds: setting('PLINTH_SHARED_CACHE_SECONDS', number(0, 86_400, 'seconds'), '0'),
  /** Where the service tells its metrics; nowhere without it. */
  metrics: optional('PLINTH_METRICS', metrics),
  /** Lines of the service's log below this level are not written. */
  logLevel: setting('PLINTH_LOG_LEVEL', level, 'info'),
  /** Where changes have lines. */
  auditLog: logFile('PLINTH_AUDIT_LOG'),
  /** Where nginx logs all requests. */
  accessLog: logFile('PLINTH_ACCESS_LOG'),
  /** Where other machines reach this one's service while it is the one that takes writes; nowhere without it. */
  internalListen: optional('PLINTH_INTERNAL_LISTEN', internalListen),
}

/** Everything that can be set. */
export type Config = {
  [Field in keyof typeof SETTINGS]: ReturnType<(typeof SETTINGS)[Field]['read']>
}

/** The names of all settings of the service. */
export const settingNames: readonly string[] = Object.values(SETTINGS).flatMap(({ names }) => names)

/** The settings of `plinth publish` and `plinth sumdb check`, which may be in the same environment. */
const PUBLISHING = ['PLINTH_URL', 'PLINTH_OWNER', 'PLINTH_TOKEN', 'PLINTH_ACCOUNT', 'PLINTH_SUMDB']

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

/** The version of the process: package.json, above build/, may be of a newer one by the time that somebody asks. */
export const VERSION: string = versionIn(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'))

function versionIn(text: string): string {
  return String((JSON.parse(text) as { version: unknown }).version)
}
