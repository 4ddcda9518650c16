import type { Answer } from './http.js'

/** The content of the go-import tag; `undefined` when there is none. Throws when there is more than one. */
export function importOf({ body }: Pick<Answer, 'body'>): string | undefined {
  const tags = body.match(/go-import"[^>]*>/g) ?? []
  if (tags.length > 1) throw new Error(`several tags: ${body}`)
  return /^<meta name="go-import" content="([^"<>]*)">$/m.exec(body)?.[1]
}
