// What caches on the way are told: by answers with a file of a public owner, and by refusals. Pure.

import type { Config } from '../config.js'

type Caching = Pick<Config, 'sharedCacheSeconds'>

/** How long a shared cache may serve on while the server fails (RFC 5861), in seconds. */
const STALE_SECONDS = 86_400

/**
 * The lines of cache.conf, for files that anybody who got here may read. A version can be deleted and published again,
 * and an owner can become private: so nothing is kept for longer than the setting says.
 */
export const cachePart = ({ sharedCacheSeconds }: Caching): string =>
  `add_header Cache-Control ${sharedCacheSeconds === 0 ? 'no-cache' : '$shared_cache'};\n`

// What was read with credentials is for the reader alone, also where the owner is public and nobody asked for them. A
// part is for nobody else, either: where there is no such part, the 416 has the headers of the file.
//
// A shared cache that has a file must not have it any more when the answer is a refusal, or it would serve it on when
// the server fails. nginx as an edge puts a refusal of this date, which is long ago, in the place of the file: so the
// refusal is never current. To others it is `no-store`.
/** The lines of http.conf that make the variables of the two parts; none where shared caches keep nothing. */
export const cacheMaps = ({ sharedCacheSeconds }: Caching): string =>
  sharedCacheSeconds === 0
    ? ''
    : `map $http_authorization$http_range $shared_cache {
    default "private, no-cache";
    "" "public, max-age=0, s-maxage=${sharedCacheSeconds}, stale-if-error=${STALE_SECONDS}";
}
map $status $replacing {
    default "";
    401 @1;
    404 @1;
}
`

// A cache that is told nothing keeps a 404 for minutes, and hides a version that is published meanwhile.
/** The lines of refusal.conf, for answers that are not 2xx and 3xx. `headers` are the lines that all answers have. */
export const refusalPart = ({ sharedCacheSeconds }: Caching, headers: string): string => {
  const replacing = sharedCacheSeconds === 0 ? '' : 'add_header X-Accel-Expires $replacing always;\n'
  return `${headers}${replacing}add_header Cache-Control no-store always;\n`
}
