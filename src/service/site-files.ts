// Writes the files that all pages share: style sheet, script, icon, and the page of an owner that has nothing yet. And
// the answer of `/-/health`, which nginx sends from the tree.

import { siteFile, siteFolder } from '../layout.js'
import { placeFiles, stageFiles } from '../store/staged-files.js'
import type { Store } from '../store/store.js'
import { emptyPage } from '../views/index-pages.js'
import type { Site } from '../views/page-addresses.js'
import { siteFiles } from '../views/site-files.js'

/** nginx can read it, so reads are possible. */
const HEALTH = { name: 'health.json', text: '{"status":"ok"}\n' }

/** Writes those that are not there or are of another version of Plinth, durably. */
export async function writeSiteFiles(store: Store, site: Site): Promise<void> {
  const files = [...siteFiles, { name: 'empty.html', text: emptyPage(site) }, HEALTH]
  const planned = files.map(({ name, text }) => ({ path: siteFile(name), content: Buffer.from(text) }))
  const staged = await stageFiles(store, planned)
  if (staged.length === 0) return
  await placeFiles(store, staged)
  await store.sync(siteFolder)
}
