// Pages of a list, as Gitea's API has them: `?page=2&limit=50`, X-Total-Count and Link. Pure.

/** Entries of a page, by default and at most. They are Gitea's. */
const DEFAULT_LIMIT = 30
const MOST = 50

/** A page of a list: the first is 1. */
export type Page = { page: number; limit: number }

const wholeNumber = (text: string | null): number => (/^[0-9]{1,9}$/.test(text ?? '') ? Number(text) : 0)

/** The page that is asked for. What is missing, no number or too large is what Gitea takes in its place. */
export function pageOf(query: URLSearchParams): Page {
  const limit = wholeNumber(query.get('limit')) || DEFAULT_LIMIT
  return { page: wholeNumber(query.get('page')) || 1, limit: Math.min(limit, MOST) }
}

// <https://plinth.example.com/api/v1/packages/team?limit=30&page=2>; rel="next",<…>; rel="last"
/** The header Link (RFC 8288) of a page of the list at `url`; `undefined` when there is one page alone. */
export function linkHeader(
  url: URL,
  query: URLSearchParams,
  { page, limit }: Page,
  total: number,
): string | undefined {
  const last = Math.max(1, Math.ceil(total / limit))
  const links: [rel: string, page: number][] = []
  if (page < last) links.push(['next', page + 1], ['last', last])
  if (page > 1) links.push(['first', 1], ['prev', page - 1])
  const address = (to: number): string => {
    const at = new URL(url)
    for (const name of ['type', 'q']) {
      const value = query.get(name)
      if (value !== null) at.searchParams.set(name, value)
    }
    at.searchParams.set('page', String(to))
    at.searchParams.set('limit', String(limit))
    return at.href
  }
  return links.length === 0 ? undefined : links.map(([rel, to]) => `<${address(to)}>; rel="${rel}"`).join(',')
}
