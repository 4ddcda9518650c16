// HTML made of texts that strangers chose. `markup` escapes every value that is not markup itself, so nobody forgets.
// The tag is not called `html`: prettier would format the templates, and their white space matters.

import { visible } from '../errors.js'

/** HTML that is safe in a page. Only `markup` and `trusted` make it. */
export class Markup {
  readonly #text: string

  constructor(text: string) {
    this.#text = text
  }

  toString(): string {
    return this.#text
  }
}

/** What a place in a template takes. `undefined` and `false` are nothing, a list is its items without a separator. */
export type Content = Markup | string | number | undefined | false | readonly Content[]

/**
 * Control characters without tab and newline, half characters, and what reorders the text around it: Unicode's line and
 * paragraph separators, embeddings, overrides and isolates. The marks that only have a direction and the joiners stay:
 * languages are written with them.
 */
const UNSEEN = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069\p{Cs}]/gu

// 'a\u202eb' → a\u202eb, as eight characters
/** Shows what a browser would hide or obey. In HTML this is safe in texts and in attributes. */
export const showUnseen = (text: string): string => text.replace(UNSEEN, visible)

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

/** The text for an element, or for an attribute in quotes. */
export const escapeHtml = (text: string): string =>
  showUnseen(text).replace(/[&<>"']/g, (char) => ENTITIES[char] ?? char)

/** Takes over HTML that is safe: a constant, or what {@link escapeHtml} and the renderer of READMEs made. */
export const trusted = (text: string): Markup => new Markup(text)

function markupOf(content: Content): string {
  if (content === undefined || content === false) return ''
  if (content instanceof Markup) return content.toString()
  return isList(content) ? content.map(markupOf).join('') : escapeHtml(String(content))
}

// markup`<b title="${'"'}">${'<i>'}</b>` → <b title="&quot;">&lt;i&gt;</b>
/** A template of HTML. Attributes must be in double quotes. */
export const markup = (parts: TemplateStringsArray, ...values: readonly Content[]): Markup =>
  new Markup(parts.map((part, at) => `${part}${markupOf(values[at])}`).join(''))

/** What there is of `items`: neither `undefined` and `false` nor the empty text. */
const thereOf = (items: readonly Content[]): Content[] =>
  items.filter((item) => item !== undefined && item !== false && item !== '')

/** What there is of `items`, with `between` between them. */
export const joined = (items: readonly Content[], between: string): Markup =>
  markup`${thereOf(items).map((item, at) => [at > 0 && between, item])}`

/** What there is of `items`, and of the lists among them, each on a line of its own. */
export const lines = (...items: readonly Content[]): Markup =>
  joined(
    items.flatMap((item) => (isList(item) ? item : [item])),
    '\n',
  )

const isList = (content: Content): content is readonly Content[] => Array.isArray(content)
