// The pages of a private owner in a real browser, with credentials and without.

import { readFileSync } from 'node:fs'
import t, { type Test } from 'tap'
import { nothingWrong, startBrowsedPlinth } from '../support/browsed-plinth.js'
import { needsBrowser, type Watched } from '../support/browser.js'
import { crawl } from '../support/crawl.js'

const OWNER = 'quiet-owner'
/** Words that nobody without credentials may see. */
const SECRETS = [OWNER, 'example.com/Hidden', 'veiled', 'Murmur']

t.test('the pages of a private owner', needsBrowser(), async (t) => {
  const plinth = await startBrowsedPlinth(t)
  plinth.cli('owner', 'add', OWNER, '--private')
  const tokenOf = (output: string): string => output.trimEnd().split('\n').at(-1) ?? ''
  const alice = tokenOf(plinth.cli('account', 'add', 'alice', '--read', OWNER))
  const bob = tokenOf(plinth.cli('account', 'add', 'bob', '--write', 'team'))
  await plinth.module(OWNER, 'example.com/Hidden', 'v1.0.0', {
    'go.mod': 'module example.com/Hidden\n',
    'h.go': '// Package hidden says Murmur.\npackage hidden\n',
  })
  await plinth.file(OWNER, 'veiled', '2026年', 'na me.bin', 'the bytes')
  await plinth.file('team', 'open', '1', 'f', 'anybody’s')
  await plinth.followed()

  const PATHS = [
    `/${OWNER}/`,
    `/${OWNER}/all`,
    `/${OWNER}/go/example.com/!hidden`,
    `/${OWNER}/go/example.com/!hidden@v1.0.0`,
    `/${OWNER}/generic/veiled`,
    `/${OWNER}/generic/veiled/2026年`,
    `/${OWNER}/nothing/here`,
    `/api/packages/${OWNER}/-/index.json`,
    `/api/packages/${OWNER}/-/feed.atom`,
    `/api/packages/${OWNER}/generic/veiled/2026年/na me.bin`,
  ]

  /** Asks for each address in the browser, whose every answer must be a refusal. */
  async function refusedEverywhere(t: Test, { page, problems }: Watched): Promise<void> {
    const statuses: number[] = []
    page.on('response', (response) => statuses.push(response.status()))
    for (const path of PATHS) {
      statuses.length = 0
      await page.goto(`${plinth.url}${path}`).catch(() => {}) // Chromium gives up where nobody can be asked
      t.same(new Set(statuses), new Set([401]), path)
    }
    problems.length = 0
  }

  await t.test('without credentials, or with those of somebody else, nothing is told', async (t) => {
    await refusedEverywhere(t, await plinth.open())
    for (const [username, password] of [
      ['alice', 'wrong'],
      ['alice', bob],
      ['bob', bob],
    ] as const)
      await refusedEverywhere(t, await plinth.open({ httpCredentials: { username, password } }))
    for (const path of PATHS) {
      const { body, headers } = await plinth.ask('GET', encodeURI(path), { auth: false })
      for (const secret of SECRETS) t.notOk(`${body}${JSON.stringify(headers)}`.includes(secret), path)
    }
  })

  await t.test('no page of public owners names it', async (t) => {
    const { page } = await plinth.open()
    const reached = await crawl(page, `${plinth.url}/`)
    t.ok(reached.has(`${plinth.url}/team/generic/open/1`))
    const said = [...reached].map(
      ([address, { body, headers }]) => `${address}\n${JSON.stringify(headers)}\n${body}`,
    )
    t.same(
      said.filter((text) => SECRETS.some((secret) => text.includes(secret))),
      [],
    )
  })

  /** Reads, searches and downloads as somebody who may. */
  async function readsAll(t: Test, watched: Watched, start: string): Promise<void> {
    const { page } = watched
    const indexes: number[] = []
    page.on('response', (response) => {
      if (response.url().endsWith('/-/index.json')) indexes.push(response.status())
    })
    await page.goto(start)
    await page.locator('#search').fill('murmur')
    await page.locator('#results a').first().click()
    t.equal(await page.locator('h1').innerText(), 'example.com/Hidden')
    t.equal(indexes.at(-1), 200, 'the script has the credentials')
    await page.goBack()
    await page.locator('#results a').first().waitFor()
    t.equal(new URL(page.url()).search, '?q=murmur')
    t.equal(indexes.at(-1), 200)

    await page.locator('#search').fill('veil')
    await page.locator('#results a', { hasText: 'veiled' }).click()
    await page.locator('tbody a').click()
    const [begun] = await Promise.all([page.waitForEvent('download'), page.locator('tbody a').click()])
    t.equal(begun.suggestedFilename(), 'na me.bin')
    t.equal(readFileSync(await begun.path(), 'utf8'), 'the bytes')
    nothingWrong(t, watched, start, /^401: |a status of 401/) // Chromium asks once without
  }

  await t.test('with credentials it is read, searched and downloaded from', async (t) => {
    const httpCredentials = { username: 'alice', password: alice }
    await readsAll(t, await plinth.open({ httpCredentials }), `${plinth.url}/${OWNER}/`)
  })

  await t.test('the same with credentials in the address', async (t) => {
    await readsAll(t, await plinth.open(), `http://alice:${alice}@127.0.0.1:${plinth.port}/${OWNER}/`)
  })
})
