// Small uploads, each of another file.

import { randomBytes } from 'node:crypto'
import { simpleModule } from '../../test/support/zips.js'

/** What is sent where, where it is read then, and where it is deleted. */
export type Upload = { url: string; path: string; remove: string; body: Buffer }

/** The n-th file of 1 KiB. */
export async function newFile(owner: string, n: number): Promise<Upload> {
  const url = `${owner}/generic/tool/1.${n % 10}/file${n}`
  return { url, path: url, remove: url, body: randomBytes(1024) }
}

/** The n-th version, of one of five modules. */
export async function newVersion(owner: string, n: number): Promise<Upload> {
  const module = `example.com/tool${n % 5}`
  const version = `v1.${n}.0`
  const remove = `${owner}/go/${module}/@v/${version}`
  return {
    url: `${owner}/go/upload`,
    path: `${remove}.zip`,
    remove,
    body: await simpleModule(module, version),
  }
}
