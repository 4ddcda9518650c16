// Publishes a checked zip, and explains the answer.

import { join } from 'node:path'
import { messageOf, visible } from '../errors.js'
import { MAX_ZIP_BYTES } from '../gomod/check-zip.js'
import { readModuleZip } from '../modzip/read-zip.js'
import type { Checked } from '../pack/pack.js'
import { ask, download, type Answer } from './http.js'
import { refusalOf } from './refusal.js'
import { uploadUrl, versionUrl, type Server } from './server.js'

/** `identical`: this version was published before, with the same content. */
type Outcome = { result: 'published' | 'identical'; warnings: string[] }

const MEANING: Record<number, string> = {
  401: 'the credentials are wrong, or have no right to write there',
  403: 'these credentials have no right to write there',
  404: 'there is no registry at this address',
  405: 'there is no registry at this address',
  408: 'the upload was too slow',
  413: 'the zip is too large for this server',
  503: 'the server takes no uploads at the moment',
  507: 'the server has no room left',
}

const refusal = ({ base, owner }: Server, answer: Answer): Error =>
  refusalOf(`${base} (owner ${owner})`, answer, MEANING)

const readHeaders = ({ authorization, mayRead }: Server): Record<string, string> => ({
  ...(mayRead && { Authorization: authorization }),
})

/** Whether the published zip has our content; `undefined` when it cannot be read. */
async function isIdentical(server: Server, zip: Checked, temp: string): Promise<boolean | undefined> {
  const path = join(temp, 'published.zip')
  const url = versionUrl(server, zip.module, zip.version, 'zip')
  const status = await download({ method: 'GET', url, headers: readHeaders(server) }, path, MAX_ZIP_BYTES)
  if (status !== 200) return undefined
  const reading = await readModuleZip(path)
  return reading.ok && reading.zip.zipHash === zip.zipHash
}

// Reads as a user of the module will: a version is visible when its .info is.
async function readBack(server: Server, { module, version }: Checked): Promise<string[]> {
  const url = versionUrl(server, module, version, 'info')
  try {
    const { status } = await ask({ method: 'GET', url, headers: readHeaders(server) })
    if (status === 200) return []
    if (status === 401 && !server.mayRead) return [] // private, and a token alone cannot read
    return [`it was published, but reading it back from ${url} is answered with ${status}`]
  } catch (error) {
    return [`it was published, but cannot be read back: ${messageOf(error)}`]
  }
}

// The zip's h1 as the server computed it, if the answer has it.
const toldHash = (body: string, { module, version }: Checked): string | undefined =>
  body
    .split('\n')
    .find((line) => line.startsWith(`${module} ${version} h1:`))
    ?.split(' ')[2]

/** Uploads the zip once. Throws a refusal of the server, with a message for the person who publishes. */
export async function publish(
  server: Server,
  zip: Checked,
  temp: string,
  onBytes: (done: number) => void,
): Promise<Outcome> {
  const headers = {
    Authorization: server.authorization,
    'Content-Type': 'application/zip',
    'X-Checksum-Sha256': zip.sha256,
  }
  const upload = { path: zip.path, bytes: zip.bytes, onBytes }
  const answer = await ask({ method: 'PUT', url: uploadUrl(server), headers, upload })
  if (answer.status === 201) {
    const told = toldHash(answer.body, zip)
    if (told !== undefined && told !== zip.zipHash)
      throw new Error(
        `the server published it with another content: ${visible(told)} instead of ${zip.zipHash}`,
      )
    return { result: 'published', warnings: await readBack(server, zip) }
  }
  // A server that compares by itself: Plinth, for an upload that states its SHA-256
  if (answer.status === 200 && toldHash(answer.body, zip) === zip.zipHash)
    return { result: 'identical', warnings: [] }
  // 409: the name is taken, or it was, by what may not be replaced.
  if (answer.status !== 409 || / was (?:deleted|published before)\b/.test(answer.body))
    throw refusal(server, answer)
  // Plinth tells what is there; from another server it is read.
  const there = /^what is there has (h1:\S+)/m.exec(answer.body)?.[1]
  const identical = there === undefined ? await isIdentical(server, zip, temp) : there === zip.zipHash
  if (identical) return { result: 'identical', warnings: [] }
  const what = `${zip.module} ${zip.version} is published already`
  if (identical === false)
    throw new Error(`${what}, with another content: publish a new version, or delete that one first`)
  const hint = server.mayRead ? '' : ' (PLINTH_ACCOUNT names the account, for reading)'
  throw new Error(`${what}; whether with this content cannot be read${hint}`)
}
