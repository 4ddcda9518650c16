// Reads the tags of a page of ours: strict, so that a text which becomes a tag, or a tag that stays open, is found.

/** A tag with its attributes as they are in the page. */
export type Tag = { name: string; attributes: Readonly<Record<string, string>>; at: number }

const VOID = ['meta', 'link', 'input', 'img', 'br', 'hr', 'wbr']
const TAG = /^<(\/?)([a-z][a-z0-9]*)((?: [a-z-]+(?:="[^"]*")?)*)>$/

/** The opening tags of a page. Throws when a tag is malformed, or is not closed in its turn. */
export function tagsOf(page: string): Tag[] {
  const tags: Tag[] = []
  const open: string[] = []
  for (const match of page.matchAll(/<(?!!doctype html>)[^>]*>?/g)) {
    const [, closes, name = '', attributes = ''] = TAG.exec(match[0]) ?? []
    if (closes === undefined) throw new Error(`malformed: ${match[0]}`)
    if (closes === '/') {
      const last = open.pop()
      if (last !== name) throw new Error(`</${name}> closes <${last}>`)
      continue
    }
    const pairs = [...attributes.matchAll(/ ([a-z-]+)(?:="([^"]*)")?/g)]
    tags.push({
      name,
      attributes: Object.fromEntries(pairs.map(([, key, value = '']) => [key, value])),
      at: match.index,
    })
    if (!VOID.includes(name)) open.push(name)
  }
  if (open.length > 0) throw new Error(`open at the end: ${open.join()}`)
  return tags
}

const ENTITIES: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', '#39': "'" }

/** The text of a piece of a page. */
export const textOf = (markup: string): string =>
  markup.replace(/<[^>]*>/g, '').replace(/&(amp|lt|gt|quot|#39);/g, (_, name: string) => ENTITIES[name] ?? '')
