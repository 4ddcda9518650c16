// Who the client is, when the proxies of PLINTH_TRUSTED_PROXIES say it: the address for limits, logs and the service,
// and the scheme for what the service prints (nginx.org/en/docs/http/ngx_http_realip_module.html). Pure.

import { ANY_SOCKET } from '../addresses/trusted-proxies.js'
import type { Config } from '../config.js'

// From the right, X-Forwarded-For has addresses that trusted proxies have seen. The first that is not a trusted proxy's
// is the client's: what the client itself wrote stands to the left of it.
/** The lines of client.conf, for the server. Without trusted proxies the client is whoever connects. */
export function clientPart({ trustedProxies }: Config): string {
  if (trustedProxies.length === 0) return 'proxy_set_header X-Forwarded-Proto $scheme;\n'
  const trusted = trustedProxies.map((proxy) => `set_real_ip_from ${proxy};\n`)
  return `${trusted.join('')}real_ip_header X-Forwarded-For;
real_ip_recursive on;
proxy_set_header X-Forwarded-Proto $client_scheme;
`
}

// $remote_addr is the client's by then; $realip_remote_addr is that of the connection. `geo` takes no `unix:`.
/** The lines of http.conf that make $client_scheme; none without trusted proxies. */
export function schemePart({ trustedProxies }: Config): string {
  if (trustedProxies.length === 0) return ''
  const ranges = trustedProxies.filter((proxy) => proxy !== ANY_SOCKET).map((proxy) => `    ${proxy} 1;\n`)
  const sockets = trustedProxies.includes(ANY_SOCKET) ? `    "${ANY_SOCKET}" 1;\n` : ''
  return `geo $realip_remote_addr $proxy_address {
    default 0;
${ranges.join('')}}
map $realip_remote_addr $by_proxy {
    default $proxy_address;
${sockets}}
map "$by_proxy $http_x_forwarded_proto" $client_scheme {
    default $scheme;
    "1 https" https;
    "1 http" http;
}
`
}
