// The part of nginx's configuration that follows from the settings and the machine: small files that the shipped
// nginx.conf includes. Pure.

import type { Config } from '../config.js'
import { accessLogPath } from '../layout.js'
import { basePath } from '../views/page-addresses.js'
import { goImportPart } from './go-import.js'
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

function listenPart({ listen, tls }: Config, version: number): string {
  if (!tls) return `listen ${listen};\n`
  const http2 =
    version >= HTTP2_DIRECTIVE ? `listen ${listen} ssl;\nhttp2 on;\n` : `listen ${listen} ssl http2;\n`
  return `${http2}ssl_certificate "${tls.cert}";\nssl_certificate_key "${tls.key}";\n${TLS_RULES}`
}

// '*:8443' → ':8443', '*:443' → '' (the port of https)
const portSuffix = (listen: string): string =>
  listen.endsWith(':443') ? '' : listen.slice(listen.lastIndexOf(':'))

// The zone has room for 160,000 addresses. Without room nginx would refuse every request.
const addressPart = (most: number): string =>
  most === 0
    ? ''
    : `limit_conn_zone $binary_remote_addr zone=addresses:10m;
limit_conn addresses ${most};
limit_conn_status 429;
`

// The zone has room for 16,000 addresses. So many as come in a second may come at once, five times as many wait.
const writesPart = (rate: number): string =>
  rate === 0
    ? ''
    : `limit_req_zone $writer zone=writes:1m rate=${rate}r/s;
limit_req zone=writes burst=${rate * 6} delay=${rate};
limit_req_status 429;
`

// The public URL where it is one of https, for it may have another port than nginx
const redirectTarget = ({ listen, publicUrl }: Config): string =>
  publicUrl?.startsWith('https:') ? publicUrl : `https://$host${portSuffix(listen)}`

// Who reads a file that nginx sends by itself needs no id, unless a log has it. Where a range cannot be sent, the
// answer has the headers of the file already.
const idPart = ({ accessLog }: Config): string =>
  accessLog === undefined
    ? `map $status $lone_id {
    default $request_id;
    200     "";
    206     "";
    301     "";
    302     "";
    304     "";
}
map $status $range_id {
    default $request_id;
}
`
    : `map $status $lone_id {
    default $request_id;
}
map $status $range_id {
    default "";
}
`

/** The file of the access log, absolute; `undefined` when there is none. */
export const accessLogOf = ({ data, accessLog }: Pick<Config, 'data' | 'accessLog'>): string | undefined =>
  accessLog === 'own' ? `${data}/${accessLogPath}` : accessLog

// Lines of several requests are written at once.
function logsPart(config: Config): string {
  const path = accessLogOf(config)
  return path === undefined ? '' : `access_log "${path}" access buffer=32k flush=1s;\n`
}

function httpPart(config: Config): string {
  const { apiRate, connectionsPerAddress, failedLogins, httpListen, writeRate } = config
  const always = `limit_req_zone $failing zone=failing:1m rate=${failedLogins}r/s;
limit_req_zone $binary_remote_addr zone=api:1m rate=${apiRate}r/s;
${addressPart(connectionsPerAddress)}${writesPart(writeRate)}${idPart(config)}map $host $base_path {
    default "${basePath(config)}";
}
`
  if (httpListen === undefined) return always
  return `${always}server {
    listen ${httpListen};
    return 308 ${redirectTarget(config)}$request_uri;
}
`
}

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
}

/** The files, by name. */
export const nginxParts = (config: Config, { version, user, files }: Machine): Record<string, string> => ({
  'main.conf': `${user ? `user ${user.name} ${user.group};\n` : ''}worker_rlimit_nofile ${files};\n`,
  'events.conf': `worker_connections ${connectionsWith(files)};\n`,
  'http.conf': httpPart(config),
  'listen.conf': listenPart(config, version),
  'headers.conf': headersPart(config),
  'logs.conf': logsPart(config),
  'go-import.conf': goImportPart(config),
  'page.conf': pagePart(config),
})
