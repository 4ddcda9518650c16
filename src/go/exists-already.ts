// What is said to who publishes a version that is there.

import { Refusal } from '../errors.js'
import type { ModuleVersion } from '../layout.js'
import { readModuleFacts, type TreeReader } from '../packages/published.js'

/** A 409 that says what is there, as far as its views know it. */
export async function existsAlready(store: TreeReader, version: ModuleVersion): Promise<Refusal> {
  const facts = await readModuleFacts(store, version)
  const there = facts ? `\nwhat is there has ${facts.h1} and sha256 ${facts.sha256}` : ''
  const what = `${version.module} ${version.version}`
  return new Refusal(409, `${what} exists already: delete it first, or publish a new version${there}`)
}
