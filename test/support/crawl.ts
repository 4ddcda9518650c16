// Follows every link of every page in a browser, as somebody who clicks everything.

import type { Page } from 'playwright-core'
import { ask, type Answer } from './http.js'

/** A link or another address in a page, as the browser understands it. */
type Link = { href: string; rel: string; fragmentIsThere: boolean; ofReadme: boolean }

/** A page as people read it: its heading, and its links. */
type OpenedPage = { heading: string; links: Link[] }

/** What is at an address. `page` is there when it is HTML. */
export type Reached = Answer & { page?: OpenedPage }

/** What an opened page says, in the browser. */
const PAGE = `(() => {
  const links = [...document.querySelectorAll('[href], [src]')].map((element) => {
    const { href = element.src, rel = '' } = element
    const { hash } = new URL(href)
    const fragmentIsThere = hash === '' || document.getElementById(decodeURIComponent(hash.slice(1))) !== null
    return { href, rel, fragmentIsThere, ofReadme: element.closest('.readme') !== null }
  })
  return { heading: document.querySelector('h1').innerText, links }
})()`

/** What the address answers to somebody without credentials. */
const answerOf = (url: URL): Promise<Answer> => ask(Number(url.port), 'GET', `${url.pathname}${url.search}`)

/**
 * Goes from `start` along all links of the same origin, those in READMEs excepted. Each address is asked for once, and
 * each page is opened in the browser, where `look` looks at it. The result has the addresses without their fragments.
 */
export async function crawl(
  page: Page,
  start: string,
  look?: (address: string) => Promise<void>,
): Promise<Map<string, Reached>> {
  const reached = new Map<string, Reached>()
  const { origin } = new URL(start)
  const next = [start]
  for (let href = next.shift(); href !== undefined; href = next.shift()) {
    if (reached.has(href)) continue
    const answer = await answerOf(new URL(href))
    reached.set(href, answer)
    if (answer.headers['content-type'] !== 'text/html; charset=utf-8') continue
    await page.goto(href, { waitUntil: 'domcontentloaded' })
    const opened: OpenedPage = await page.evaluate(PAGE)
    reached.set(href, { ...answer, page: opened })
    await look?.(href)
    next.push(
      ...opened.links.filter((link) => isOfSite(link, origin)).map(({ href: to }) => withoutFragment(to)),
    )
  }
  return reached
}

const isOfSite = ({ href, ofReadme }: Link, origin: string): boolean =>
  !ofReadme && new URL(href).origin === origin

const withoutFragment = (href: string): string => href.replace(/#.*$/, '')
