// The site's own files, below /-/. They are the same for all pages.

import { BASE_STYLE } from './base-style.js'
import { PARTS_STYLE } from './parts-style.js'
import { SEARCH_SCRIPT } from './search-script.js'

/** A plinth: a plate on a block on a wider plate. */
const ICON = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32">
<path fill="#5b86b5" d="M7 4h18v5H7zM10 11h12v12H10zM4 25h24v4H4z"/>
</svg>
`

/** A file below /-/: its name, its media type and its text. */
type SiteFile = { name: string; type: string; text: string }

export const siteFiles: readonly SiteFile[] = [
  { name: 'style.css', type: 'text/css', text: `${BASE_STYLE}\n${PARTS_STYLE}` },
  { name: 'search.js', type: 'text/javascript', text: SEARCH_SCRIPT },
  { name: 'icon.svg', type: 'image/svg+xml', text: ICON },
]
