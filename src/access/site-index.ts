// The page of the public owners. It follows from the owners alone, as what nginx reads does: a name leaves it in the
// same step in which its owner becomes private.

import { siteFolder, siteIndex } from '../layout.js'
import type { Store } from '../store/store.js'
import { sitePage } from '../views/index-pages.js'

/** The page. It is at one address only, so its links are relative: they are right behind a path prefix, too. */
const siteIndexText = (publicOwners: readonly string[]): string =>
  sitePage({ owners: publicOwners.map((owner) => ({ owner })), site: {} }).replaceAll(
    / (href|src)="\/(?!\/)/g,
    ' $1="./',
  )

/** Writes the page when it is not right, durably. When that fails it removes the page, so that it names nobody. */
export async function deriveSiteIndex(store: Store, publicOwners: readonly string[]): Promise<void> {
  const text = siteIndexText(publicOwners)
  try {
    if ((await store.read(siteIndex))?.toString() === text) return
    await store.writeMaking(siteIndex, text)
    await store.sync(siteFolder)
  } catch (error) {
    await store.remove(siteIndex)
    throw error
  }
}
