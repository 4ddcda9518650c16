// Renders a README, whatever is in it: one that the renderer cannot cope with is shown as it is.

import { createContext, runInContext } from 'node:vm'
import { renderReadme } from '../views/markdown.js'
import { plainHtml } from '../views/readme.js'

/** A README takes some ms. One that takes longer than this was made to. */
const README_TIMEOUT_MS = 5000

type Render = (file: string, text: string, options: { images: boolean }) => string

/**
 * The HTML of the README `file`. It loads nothing from elsewhere, but for its images with `images`. With `plain`, and
 * when `render` throws or takes more than `timeout` ms, it is the text as it is.
 */
export function readmeHtml(
  file: string,
  text: string,
  { plain = false, images = false }: { plain?: boolean; images?: boolean },
  { render = renderReadme, timeout = README_TIMEOUT_MS }: { render?: Render; timeout?: number } = {},
): string {
  if (plain) return plainHtml(text)
  try {
    // Only what runs in a context of node's can be ended after some time. `render` itself runs in this one.
    const context = createContext({ render: () => render(file, text, { images }) })
    return String(runInContext('render()', context, { timeout }))
  } catch {
    return plainHtml(text)
  }
}
