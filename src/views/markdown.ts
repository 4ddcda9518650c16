// A README as HTML that is safe in a page of ours. READMEs are strangers' texts. Markdown is rendered without its HTML,
// links lead to few schemes, and nothing is loaded from elsewhere unless a setting says so.

import MarkdownIt, { type Token } from 'markdown-it'
import { escapeHtml, showUnseen } from './html.js'

/** Bytes of a text that is rendered as Markdown. A longer one is shown as it is. */
const MAX_MARKDOWN_BYTES = 128 * 1024
/** Characters of the HTML of a README: a few characters of a table become ten times as many. */
const MAX_HTML_CHARS = 1024 * 1024
/** Characters that are shown of a text that is no Markdown. */
const MAX_PLAIN_CHARS = 512 * 1024
/** Characters of one address, and of all addresses of a README. A definition can be used by thousands of links. */
const MAX_ADDRESS_CHARS = 2000
const MAX_ADDRESSES_CHARS = 256 * 1024
/** Lists, quotations and brackets inside of each other. A list counts twice. */
const MAX_NESTING = 40
const MAX_ID_CHARS = 100

/** The page has an h1 and the section of the README an h2. */
const HEADINGS_ABOVE = 2

const isMarkdown = (file: string): boolean => /\.(?:md|mkd|mkdn|mdown|markdown)$/i.test(file)

function plain(text: string): string {
  const shown = text.slice(0, MAX_PLAIN_CHARS)
  const rest =
    shown.length < text.length
      ? '\n<p class="note">The text goes on. The module’s zip has all of it.</p>'
      : ''
  return `<pre class="plain">${escapeHtml(shown)}</pre>${rest}`
}

// 'What it `does`!' → what-it-does
const slugOf = (text: string): string =>
  text
    .trim()
    .toLowerCase()
    .slice(0, MAX_ID_CHARS)
    .replace(/[^\p{L}\p{M}\p{N}_ -]/gu, '')
    .replaceAll(' ', '-')

function decoded(fragment: string): string {
  try {
    return decodeURIComponent(fragment)
  } catch {
    return fragment
  }
}

/** The HTML of one README. Addresses are counted over all of it, and ids are unique in it. */
class Readme {
  readonly #images: boolean
  readonly #markdown = new MarkdownIt('default', { html: false, linkify: false, maxNesting: MAX_NESTING })
  /** For each link around the present place, whether it is shown as a link. */
  readonly #links: boolean[] = []
  /** How often each slug was wanted. */
  readonly #slugs = new Map<string, number>()
  #addressChars = 0

  constructor(images: boolean) {
    this.#images = images
    // Every link is parsed as one, and #address decides: a link that leads nowhere shows its text.
    this.#markdown.validateLink = () => true
    this.#setRules()
  }

  render(text: string): string {
    return showUnseen(this.#markdown.render(text))
  }

  #setRules(): void {
    const { rules } = this.#markdown.renderer
    const at = (tokens: Token[], index: number): Token => tokens[index] as Token
    rules['link_open'] = (tokens, index) => this.#linkOpen(at(tokens, index))
    rules['link_close'] = () => (this.#links.pop() === true ? '</a>' : '')
    rules['image'] = (tokens, index) => this.#image(at(tokens, index))
    rules['heading_open'] = (tokens, index) => this.#headingOpen(at(tokens, index), tokens[index + 1])
    rules['heading_close'] = (tokens, index) => `</${headingTag(at(tokens, index))}>\n`
    rules['fence'] = rules['code_block'] = (tokens, index) =>
      `<pre tabindex="0"><code>${escapeHtml(at(tokens, index).content)}</code></pre>\n`
    rules['table_open'] = () => '<div class="scroll" role="region" aria-label="Table" tabindex="0"><table>\n'
    rules['table_close'] = () => '</table></div>\n'
    rules['th_open'] = rules['td_open'] = (tokens, index) => cellOpen(at(tokens, index))
  }

  /** The address as an attribute's value, or undefined for one that no link may have. */
  #address(href: string, allowed: RegExp): string | undefined {
    if (!allowed.test(href) || href.length > MAX_ADDRESS_CHARS) return undefined
    this.#addressChars += href.length
    return this.#addressChars > MAX_ADDRESSES_CHARS ? undefined : escapeHtml(href)
  }

  #linkOpen(token: Token): string {
    const href = String(token.attrGet('href') ?? '')
    const tag = href.startsWith('#') ? this.#fragmentLink(href) : this.#outsideLink(href, OUTSIDE)
    this.#links.push(tag !== undefined)
    return tag ?? ''
  }

  #outsideLink(href: string, allowed: RegExp): string | undefined {
    const address = this.#address(href, allowed)
    return address === undefined ? undefined : `<a href="${address}" rel="nofollow noopener noreferrer">`
  }

  #fragmentLink(href: string): string | undefined {
    const slug = slugOf(decoded(href.slice(1)))
    const address = this.#address(`#${ID_PREFIX}${encodeURIComponent(slug)}`, /./)
    return slug === '' || address === undefined ? undefined : `<a href="${address}">`
  }

  /** A link to the image or the image. Without an address, and in a link, it is the text that stands for it. */
  #image(token: Token): string {
    const text = this.#textOf(token).trim()
    const src = String(token.attrGet('src') ?? '')
    if (this.#images) {
      const address = this.#address(src, SECURE)
      if (address === undefined) return escapeHtml(text)
      return `<img src="${address}" alt="${escapeHtml(text)}" loading="lazy" referrerpolicy="no-referrer">`
    }
    const tag = this.#links.includes(true) ? undefined : this.#outsideLink(src, SECURE)
    return tag === undefined ? escapeHtml(text) : `${tag}${escapeHtml(text || 'image')}</a>`
  }

  #headingOpen(token: Token, inline: Token | undefined): string {
    const slug = slugOf(inline ? this.#textOf(inline) : '')
    const id = slug === '' ? '' : ` id="${escapeHtml(`${ID_PREFIX}${this.#unique(slug)}`)}"`
    return `<${headingTag(token)}${id}>`
  }

  // The second `usage` is usage-1, as on the forges: links in READMEs are written for these.
  #unique(slug: string): string {
    for (;;) {
      const times = this.#slugs.get(slug) ?? 0
      this.#slugs.set(slug, times + 1)
      if (times === 0) return slug
      const next = `${slug}-${times}`
      if (!this.#slugs.has(next)) {
        this.#slugs.set(next, 1)
        return next
      }
    }
  }

  #textOf(token: Token): string {
    const { renderer, options } = this.#markdown
    return renderer.renderInlineAsText(token.children ?? [], options, {})
  }
}

const ID_PREFIX = 'readme-'
// `https:x` is a relative address for a browser, so the host must be there.
const OUTSIDE = /^(?:https?:\/\/[^/]|mailto:.)/i
const SECURE = /^https:\/\/[^/]/i

// 'h1' → h3
const headingTag = ({ tag }: Token): string => `h${Math.min(6, Number(tag.slice(1)) + HEADINGS_ABOVE)}`

// The library says alignment by a style attribute, which the pages' Content-Security-Policy forbids.
function cellOpen(token: Token): string {
  const align = /^text-align:(center|right)$/.exec(String(token.attrGet('style') ?? ''))?.[1]
  return align === undefined ? `<${token.tag}>` : `<${token.tag} class="${align}">`
}

/**
 * The HTML of a module's README, safe in a page. `file` is its name. Markdown is rendered: CommonMark with tables and
 * strikethrough. All else is preformatted text, as is Markdown that is too long or becomes too much HTML. With `images`
 * those from https addresses are shown; else they are links. The time is in proportion to the length of the text.
 */
export function renderReadme(file: string, text: string, { images }: { images: boolean }): string {
  const source = text.replace(/^\ufeff/, '').replaceAll(/\r\n?/g, '\n')
  if (!isMarkdown(file) || Buffer.byteLength(source) > MAX_MARKDOWN_BYTES) return plain(source)
  const rendered = new Readme(images).render(source)
  return rendered.length > MAX_HTML_CHARS ? plain(source) : rendered
}
