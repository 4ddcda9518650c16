// What the locations of pages and of other views have in common. Pure.

import type { Config } from '../config.js'
import { PAGE_POLICY } from '../views/page.js'

// Reading a small file costs less than sendfile, as in server.conf.
// Another view may take the place of one at any moment. An ETag is made of mtime in seconds and size: two changes
// within one second could have the same one.
/** The lines of page.conf. With `readmeImages` a page also loads the images of READMEs, over https. */
export function pagePart({ readmeImages }: Pick<Config, 'readmeImages'>): string {
  const policy = readmeImages ? PAGE_POLICY.replace("img-src 'self'", "img-src 'self' https:") : PAGE_POLICY
  return `sendfile off;
etag off;
if_modified_since off;
include plinth/headers.conf;
include plinth/cache.conf;
add_header Last-Modified "";
add_header Content-Security-Policy "${policy}";
add_header Referrer-Policy no-referrer;
`
}
