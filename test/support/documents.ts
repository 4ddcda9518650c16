// The documents, whose lines tests run as a reader copies them.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const ROOT = fileURLToPath(new URL('../../../', import.meta.url))
export const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8')

export const README = read('README.md')
export const MANUAL = read('scripts/deploy/README.md')

/** The block that follows a heading of a document, or a later one. `language` is what the block says it is in. */
export const block = (document: string, heading: string, which = 0, language = 'sh'): string => {
  const start = document.search(new RegExp(`^##+ ${heading}$`, 'm'))
  const blocks = new RegExp(`^\`\`\`${language}\\n([^]*?)^\`\`\`$`, 'gm')
  const found = [...document.slice(start).matchAll(blocks)][which]?.[1]
  if (start < 0 || found === undefined) throw new Error(`there is no block ${which} under ${heading}`)
  return found
}
