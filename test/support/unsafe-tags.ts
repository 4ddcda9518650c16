// What a README may become: a strict list, so that a tag or an attribute that nobody thought of is found.

const NAMES =
  'p|h3|h4|h5|h6|ul|ol|li|blockquote|pre|code|em|strong|s|hr|br|a|img|div|table|thead|tbody|tr|th|td'
const ATTRIBUTES: Readonly<Record<string, RegExp>> = {
  href: /^(?:https?:\/\/[^/]|mailto:.|#readme-)[^\s<>]*$/i,
  src: /^https:\/\/[^/][^\s<>]*$/i,
  rel: /^nofollow noopener noreferrer$/,
  id: /^readme-[^\s<>]+$/,
  class: /^(?:plain|scroll|center|right|note)$/,
  alt: /^[^<>]*$/,
  start: /^[0-9]+$/,
  tabindex: /^0$/,
  role: /^region$/,
  'aria-label': /^Table$/,
  loading: /^lazy$/,
  referrerpolicy: /^no-referrer$/,
}

const isSafe = (tag: string): boolean => {
  if (!new RegExp(`^</?(?:${NAMES})(?: [a-z-]+="[^"]*")*>$`).test(tag)) return false
  for (const [, name = '', value = ''] of tag.matchAll(/ ([a-z-]+)="([^"]*)"/g))
    if (ATTRIBUTES[name]?.test(value) !== true) return false
  return true
}

/** The tags of the HTML of a README that are not on the list. A `<` that begins no whole tag is one. */
export const unsafeTags = (rendered: string): string[] =>
  (rendered.match(/<[^>]*>?/g) ?? []).filter((tag) => !isSafe(tag))
