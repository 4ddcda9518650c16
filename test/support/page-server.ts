// The pages behind a bare server on loopback, with their Content-Security-Policy, at their addresses.

import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { PAGE_POLICY } from '../../src/views/page.js'
import { siteFiles } from '../../src/views/site-files.js'

/** What a path answers. */
export type Served = { type: string; text: string }

export const htmlPage = (text: string): Served => ({ type: 'text/html; charset=utf-8', text })

/** Serves `pages` by their paths, and the site's own files. Answers 404 for anything else. */
export async function servePages(pages: Readonly<Record<string, Served>>) {
  const own = siteFiles.map(({ name, type, text }) => [
    `/-/${name}`,
    { type: `${type}; charset=utf-8`, text },
  ])
  const served = new Map<string, Served>([...Object.entries(pages), ...(own as [string, Served][])])
  const asked: string[] = []
  const server = createServer((req, res) => {
    const path = (req.url ?? '').split('?', 1)[0] ?? ''
    asked.push(path)
    const found = served.get(path)
    res.writeHead(found ? 200 : 404, {
      'content-type': found?.type ?? 'text/plain',
      'content-security-policy': PAGE_POLICY,
      'x-content-type-options': 'nosniff',
    })
    res.end(found?.text ?? 'not found')
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}`,
    /** The paths that were asked for so far. */
    asked,
    close: () => {
      server.closeAllConnections()
      return new Promise<void>((resolve) => server.close(() => resolve()))
    },
  }
}
