// Pages of a list, as Gitea's API has them.

import t from 'tap'
import { linkHeader, pageOf } from '../../src/http/api-paging.js'

const asked = (query: string) => pageOf(new URLSearchParams(query))

t.test('the page that is asked for, and what takes the place of nonsense', async (t) => {
  const table: [query: string, page: number, limit: number][] = [
    ['', 1, 30],
    ['page=3&limit=7', 3, 7],
    ['page=0&limit=0', 1, 30],
    ['page=-1&limit=-5', 1, 30],
    ['page=x&limit=1e3', 1, 30],
    ['limit=50', 1, 50],
    ['limit=51', 1, 50],
    ['limit=999999999', 1, 50],
    ['page=99999999999999999999', 1, 30],
    ['page=2&page=3', 2, 30],
  ]
  for (const [query, page, limit] of table) t.same(asked(query), { page, limit }, query)
})

t.test('Link names the pages around, with everything else that was asked', async (t) => {
  const url = new URL('https://plinth.example.com/plinth/api/v1/packages/team')
  const query = new URLSearchParams('x=dropped&type=go&q=a%20b&limit=10&page=3')
  const link = (page: number, total: number) => linkHeader(url, query, { page, limit: 10 }, total)
  const at = (page: number) =>
    `<https://plinth.example.com/plinth/api/v1/packages/team?type=go&q=a+b&page=${page}&limit=10>`
  t.equal(
    link(3, 95),
    `${at(4)}; rel="next",${at(10)}; rel="last",${at(1)}; rel="first",${at(2)}; rel="prev"`,
  )
  t.equal(link(1, 95), `${at(2)}; rel="next",${at(10)}; rel="last"`)
  t.equal(link(10, 95), `${at(1)}; rel="first",${at(9)}; rel="prev"`)
  t.equal(link(1, 10), undefined, 'one page alone')
  t.equal(link(1, 0), undefined)
  t.equal(link(1, 11), `${at(2)}; rel="next",${at(2)}; rel="last"`)
  t.equal(link(7, 20), `${at(1)}; rel="first",${at(6)}; rel="prev"`, 'beyond the last')
})
