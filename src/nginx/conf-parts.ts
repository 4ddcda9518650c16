// The part of nginx's configuration that follows from the settings and the machine: small files that the shipped
// nginx.conf, and the files of scripts/deploy/nginx, include. Pure.

import { nginxAddresses } from '../addresses/listen-address.js'
import type { Config } from '../config.js'
import { isOneOfSeveral, pathIn, runtimeFiles } from '../settings/runtime-files.js'
import { basePath } from '../views/page-addresses.js'
import { cacheMaps, cachePart, refusalPart } from './cache-parts.js'
import { clientPart, schemePart } from './client-part.js'
import { goImportPart } from './go-import.js'
import { accessLogPart, idPart, refusedLogPart } from './log-parts.js'
import { pagePart } from './page-part.js'

/** nginx 1.25.1 has a directive `http2`, and warns of `listen … http2`. */
const HTTP2_DIRECTIVE = 1_025_001

// The session cache lets go resume a session instead of negotiating one for each file. The protocols are named because
// older versions of nginx also speak TLS 1.0. The suites are those of TLS 1.2 with forward secrecy and authenticated
// encryption, so none with CBC; those of TLS 1.3 are all of this kind.
const TLS_RULES = `ssl_protocols TLSv1.2 TLSv1.3;
ssl_ciphers ECDHE+AESGCM:ECDHE+CHACHA20;
ssl_session_cache shared:tls:10m;
ssl_session_timeout 1h;
ssl_session_tickets off;
`

// Where a worker may have to wait for a file, it accepts a connection when its request is here, and answers it at once.
// One that it had accepted before would wait with it.
function listenPart(config: Config, { version, ipv6 }: Machine): string {
  const { listen, tls } = config
  const waits = (address: string): string =>
    isOneOfSeveral(config) && !address.startsWith('"unix:') ? ' deferred' : ''
  const lines = (options: string): string =>
    nginxAddresses(listen, ipv6)
      .map((address) => `listen ${address}${options}${waits(address)};\n`)
      .join('')
  if (!tls) return lines('')
  const http2 = version >= HTTP2_DIRECTIVE ? `${lines(' ssl')}http2 on;\n` : lines(' ssl http2')
  return `${http2}ssl_certificate "${tls.cert}";\nssl_certificate_key "${tls.key}";\n${TLS_RULES}`
}

// '*:8443' → ':8443', '*:443' → '' (the port of https)
function portSuffix(listen: Config['listen']): string {
  const address = listen.find((each) => 'port' in each)
  return address === undefined || !('port' in address) || address.port === 443 ? '' : `:${address.port}`
}

const addressLimit = (most: number): string =>
  most === 0
    ? ''
    : `limit_conn plinth_addresses ${most};
limit_conn_status 429;
`

// So many as come in a second may come at once, five times as many wait.
const writeLimit = (rate: number): string =>
  rate === 0
    ? ''
    : `limit_req zone=plinth_writes burst=${rate * 6} delay=${rate};
limit_req_status 429;
`

// The public URL where it is one of https, for it may have another port than nginx
const redirectTarget = ({ listen, publicUrl }: Config): string =>
  publicUrl?.startsWith('https:') ? publicUrl : `https://$host${portSuffix(listen)}`

/** The path of nginx's own figures on the socket for them. */
export const STATUS_URL = '/status'

// The socket is in a folder that only the service's user may enter.
const statusPart = ({ metrics }: Config, hasStatus: boolean, runtime: string): string =>
  metrics === undefined || !hasStatus
    ? ''
    : `server {
    listen "unix:${runtimeFiles(runtime).nginxStatus}";
    access_log off;
    location = ${STATUS_URL} { stub_status; }
    location / { return 404; }
}
`

// A zone of 10 MiB has room for 160,000 addresses, one of 1 MiB for 16,000. Without room nginx would refuse every
// request.
function httpPart(config: Config, hasStatus: boolean, runtime: string): string {
  const { apiRate, connectionsPerAddress, failedLogins, writeRate } = config
  const addresses = 'limit_conn_zone $binary_remote_addr zone=plinth_addresses:10m;\n'
  const writes = `limit_req_zone $writer zone=plinth_writes:1m rate=${writeRate}r/s;\n`
  return `limit_req_zone $failing zone=plinth_failing:1m rate=${failedLogins}r/s;
limit_req_zone $binary_remote_addr zone=plinth_api:1m rate=${apiRate}r/s;
${connectionsPerAddress === 0 ? '' : addresses}${writeRate === 0 ? '' : writes}${idPart(config)}map $host $base_path {
    default "${basePath(config)}";
}
${cacheMaps(config)}${schemePart(config)}${statusPart(config, hasStatus, runtime)}`
}

const limitsPart = ({ connectionsPerAddress, writeRate }: Config): string =>
  addressLimit(connectionsPerAddress) + writeLimit(writeRate)

function redirectPart(config: Config, { ipv6 }: Machine): string {
  if (config.httpListen === undefined) return ''
  const listens = nginxAddresses(config.httpListen, ipv6).map((address) => `    listen ${address};\n`)
  return `server {
${listens.join('')}    access_log off;
    include plinth/connections.conf;
    include plinth/client.conf;
    include plinth/limits.conf;
    return 308 ${redirectTarget(config)}$request_uri;
}
`
}

// nginx takes no variable for the path of a socket, nor for that of a log that its master opens.
const pathsPart = ({ data }: Config, runtime: string): string => `map $host $plinth_data {
    default "${data}/";
}
upstream plinth {
    server "unix:${runtimeFiles(runtime).socket}";
}
`

function headersPart({ hsts }: Config): string {
  const nosniff =
    'add_header X-Content-Type-Options nosniff always;\nadd_header X-Request-Id $answer_id always;\n'
  return hsts === undefined
    ? nosniff
    : `${nosniff}add_header Strict-Transport-Security "max-age=${hsts}" always;\n`
}

/** Connections of one worker. It keeps 0.4 kB for each, used or not. */
const MAX_CONNECTIONS = 8192
/** Files of a worker that belong to no connection: listening sockets, logs, channels to the other workers. */
const OTHER_FILES = 128
/** A connection has a file beside its socket: the one that is sent, or the service's socket. */
const FILES_PER_CONNECTION = 2

/** The files that a worker wants to open at once. */
export const WANTED_FILES = MAX_CONNECTIONS * FILES_PER_CONNECTION + OTHER_FILES

/**
 * The connections of a worker that may open `files` files. There must not be more: nginx makes room by closing idle
 * ones when it runs out of connections, and takes no new one when it runs out of files.
 */
export const connectionsWith = (files: number): number =>
  Math.max(Math.floor((Math.min(files, WANTED_FILES) - OTHER_FILES) / FILES_PER_CONNECTION), 64)

/** What the parts depend on beside the settings. */
type Machine = {
  /** The version of nginx: 1.22.1 is 1022001. */
  version: number
  /** The user and group of nginx's workers; `undefined` when nginx cannot choose them. */
  user: { name: string; group: string } | undefined
  /** How many files a worker may open. */
  files: number
  processors: number
  /** Whether the address `*` is IPv6, too. */
  ipv6: boolean
  /** Whether nginx can tell its own figures (the module stub_status). */
  hasStatus: boolean
}

/**
 * Workers on one of several machines. When one of them dies, their file system keeps each reader of what it has just
 * written waiting, until it has shut the machine out. nginx waits with the worker that opens the file, and with the
 * connections that this worker has. Each worker takes some 5 MB.
 */
const WORKERS_OF_SEVERAL = 16

const mainPart = (config: Config, { user, files, processors }: Machine, runtime: string): string =>
  `${user ? `user ${user.name} ${user.group};\n` : ''}worker_processes ${
    isOneOfSeveral(config) ? Math.max(WORKERS_OF_SEVERAL, processors) : 'auto'
  };
worker_rlimit_nofile ${files};
pid "${runtimeFiles(runtime).nginxPid}";
`

// Folders that nginx makes for bodies and answers that do not fit into memory
const tempPart = (runtime: string): string =>
  ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
    .map((kind) => `${kind}_temp_path "${runtimeFiles(runtime).nginx}/${kind.replace('client_', '')}";\n`)
    .join('')

/**
 * The files, by their path beside nginx's configuration. `runtime` is the folder of the machine's own files, as nginx
 * finds it: relative to the data folder when that is nginx's working directory. A socket's path has at most 107 bytes,
 * that of the data folder may have more. `refusedLog` (absolute) is where refused credentials are logged.
 */
export const nginxParts = (
  config: Config,
  machine: Machine,
  runtime: string = config.runtime,
  refusedLog = pathIn(config.data, runtimeFiles(config.runtime).refusedLog),
): Record<string, string> => ({
  'main.conf': mainPart(config, machine, runtime),
  'temp.conf': tempPart(runtime),
  'events.conf': `worker_connections ${connectionsWith(machine.files)};\n`,
  'plinth/paths.conf': pathsPart(config, runtime),
  'plinth/http.conf': httpPart(config, machine.hasStatus, runtime),
  'plinth/client.conf': clientPart(config),
  'plinth/limits.conf': limitsPart(config),
  'plinth/listen.conf': listenPart(config, machine),
  'plinth/redirect.conf': redirectPart(config, machine),
  'plinth/headers.conf': headersPart(config),
  'plinth/cache.conf': cachePart(config),
  'plinth/refusal.conf': refusalPart(config, headersPart(config)),
  'plinth/go-import.conf': goImportPart(config),
  'plinth/page.conf': pagePart(config),
  'plinth/refused-log.conf': refusedLogPart(config, refusedLog),
  'plinth/access-log.conf': accessLogPart(config),
})
