// The part of nginx's configuration that follows from the settings: small files that the shipped nginx.conf includes.
// Pure.

import type { Config } from '../config.js'

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

function httpPart({ failedLogins, httpListen, listen }: Config): string {
  const zone = `limit_req_zone $failing zone=failing:1m rate=${failedLogins}r/s;\n`
  if (httpListen === undefined) return zone
  return `${zone}server {
    listen ${httpListen};
    return 308 https://$host${portSuffix(listen)}$request_uri;
}
`
}

function headersPart({ hsts }: Config): string {
  const nosniff = 'add_header X-Content-Type-Options nosniff always;\n'
  return hsts === undefined
    ? nosniff
    : `${nosniff}add_header Strict-Transport-Security "max-age=${hsts}" always;\n`
}

/**
 * The four files, by name. `version` is the version of nginx: 1.22.1 is 1022001. `user` is the user and group of its
 * workers; it is `undefined` when nginx cannot choose them.
 */
export const nginxParts = (
  config: Config,
  version: number,
  user: { name: string; group: string } | undefined,
): Record<string, string> => ({
  'main.conf': user ? `user ${user.name} ${user.group};\n` : '',
  'http.conf': httpPart(config),
  'listen.conf': listenPart(config, version),
  'headers.conf': headersPart(config),
})
