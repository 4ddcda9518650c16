// Chromium with a fresh profile, and everything that goes wrong in it.

import { execFileSync } from 'node:child_process'
import { chromium, type BrowserContextOptions, type Page } from 'playwright-core'
import { needs } from './programs.js'

/** For tap: skips a test where there is no Chromium, and says so. */
export const needsBrowser = (): { skip?: string } => needs('chromium')

// No program of Chromium's own may ask for hosts elsewhere. A sandbox cannot be had by root.
const FLAGS = [
  '--disable-gpu',
  '--disable-quic',
  '--disable-sync',
  '--disable-background-networking',
  '--disable-component-update',
  '--no-first-run',
]

/** How long the start, a page or what a test waits for in it may take, in ms. Some pages are large on purpose. */
const MOST_MS = 180_000

/** The page was left before the answer came. */
const LEFT = 'net::ERR_ABORTED'

/** A page, and what went wrong in it so far, in the order in which it happened. */
export type Watched = {
  page: Page
  /** Messages of the console that are errors or warnings, uncaught errors, requests that failed. */
  problems: string[]
  /** Requests to another origin than the one that is watched. */
  outside: string[]
  /** Dialogs, windows that were opened, and addresses that the page went to. */
  events: string[]
}

/** Starts Chromium. Whoever starts it closes it. */
export async function startBrowser() {
  const executablePath = execFileSync('/bin/sh', ['-c', 'command -v chromium']).toString().trim()
  const browser = await chromium.launch({ executablePath, args: FLAGS, timeout: MOST_MS })
  return {
    /** A page with a profile of its own. `origin` is the only one that it may ask. */
    async open(origin: string, options: BrowserContextOptions = {}): Promise<Watched> {
      const context = await browser.newContext(options)
      context.setDefaultTimeout(MOST_MS)
      const page = await context.newPage()
      const watched: Watched = { page, problems: [], outside: [], events: [] }
      watch(watched, origin)
      return watched
    },
    close: () => browser.close(),
  }
}

function watch({ page, problems, outside, events }: Watched, origin: string): void {
  page.on('console', (message) => {
    const { url } = message.location()
    if (['error', 'warning'].includes(message.type())) problems.push(`console: ${message.text()} ${url}`)
  })
  page.on('pageerror', (error) => problems.push(`error: ${error.message}`))
  page.on('requestfailed', (request) => {
    const why = request.failure()?.errorText ?? ''
    if (why !== LEFT) problems.push(`${why}: ${request.url()}`)
  })
  page.on('response', (response) => {
    if (response.status() >= 400) problems.push(`${response.status()}: ${response.url()}`)
  })
  page.on('dialog', (dialog) => {
    events.push(`dialog: ${dialog.message()}`)
    void dialog.dismiss()
  })
  page.on('framenavigated', (frame) => events.push(`went to ${frame.url()}`))
  page.context().on('page', (opened) => events.push(`opened ${opened.url()}`))
  page.context().on('request', (request) => {
    if (new URL(request.url()).origin !== origin) outside.push(request.url())
  })
}
