// Checksum databases in tests: what a Plinth tells of one, and what go asks of it.

import { readFileSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { ShownDatabase } from '../../src/service/database-jobs.js'
import type { Plinth } from './plinth.js'
import { anyToolchain } from './toolchains.js'

/** The oldest go that has toolchains, and the installed one; one that cannot be had says why. */
export const oldAndNewGo = () => ['go1.21.13', 'local'].map(anyToolchain)

/** What `plinth sumdb show` says of an owner's database. */
export const databaseOf = (
  { cli }: Pick<Plinth, 'cli'>,
  owner: string,
): ShownDatabase & { gosumdb: string } =>
  JSON.parse(cli('sumdb', 'show', owner, '--json')) as ShownDatabase & { gosumdb: string }

/** Enables the database of an owner under a name. */
export function enableDatabase(plinth: Pick<Plinth, 'cli'>, owner: string, name: string) {
  plinth.cli('sumdb', 'enable', owner, '--name', name, '--yes')
  return databaseOf(plinth, owner)
}

// '# get http://127.0.0.1:80/api/packages/team/go/sumdb/sum.corp.example/supported: 404 Not Found (0.001s)'
/** The answers to requests for databases in the output of go with -x: `supported 404`, `lookup/x@v1.0.0 200`. */
export const askedOfDatabase = (output: string): string[] =>
  [...output.matchAll(/^# get \S+?\/sumdb\/(?:[a-z]+\.\S+?)\/((?:supported|lookup|tile)\S*): (\d+)/gm)].map(
    ([, path, status]) => `${decodeURIComponent(path ?? '')} ${status}`,
  )

/** What `go mod download -json` says of each version. */
export type Downloaded = { Path: string; Version: string; Sum?: string; GoModSum?: string; Error?: string }

export const downloadedIn = (output: string): Downloaded[] =>
  output
    .split(/^(?=\{)/m)
    .filter((text) => text.trim() !== '')
    .map((text) => JSON.parse(text) as Downloaded)

/** Replaces a file by hand, as nobody should: its size and its time stay. Returns what puts it back. */
export function tamper(path: string, change: (content: Buffer) => Buffer): () => void {
  const before = readFileSync(path)
  const { mtime } = statSync(path)
  const put = (content: Buffer): void => {
    writeFileSync(path, content)
    utimesSync(path, mtime, mtime)
  }
  const after = change(Buffer.from(before))
  if (after.length !== before.length || after.equals(before))
    throw new Error(`${path}: another size, or the same bytes`)
  put(after)
  return () => put(before)
}

/** A file of an owner's database in the tree. */
export const inDatabase = (data: string, owner: string, name: string, path: string): string =>
  join(data, 'tree/api/packages', owner, 'go/sumdb', name, path)
