// What commands ask of a Plinth elsewhere: its files, its owners, deletes, and the commands that a server runs.

import { escapePath } from '../gomod/module-path.js'
import { genericFile, genericVersionFolder, modulePaths, urlPath } from '../layout.js'
import { parseJson } from '../store/parse-json.js'
import { ask, type Answer } from './http.js'
import { refusalOf } from './refusal.js'
import type { Remote } from './server.js'

/** Bytes of a catalogue or an index. One of 100,000 packages has 20 MB. */
const MOST_FILE_BYTES = 64 * 2 ** 20
const OWNERS_A_PAGE = 50
/** Bytes of a page of owners, and of an answer to a command. */
const MOST_JSON_BYTES = 16 * 2 ** 20

const WITHOUT_LOGIN = 'it needs credentials: "plinth login", PLINTH_TOKEN, or a line in ~/.netrc'

const headersOf = ({ login }: Remote): Record<string, string> => ({
  ...(login && { Authorization: login.authorization }),
})

const meaningFor = ({ login }: Remote, what: string): Record<number, string> => ({
  401: login ? `the credentials are wrong, or have no right to ${what}` : WITHOUT_LOGIN,
  403: `these credentials have no right to ${what}`,
  404: 'this is no Plinth, or an older one',
  405: 'this is no Plinth, or an older one',
})

/** The credentials are wrong, or give no right to read there, or there is no such owner: no server tells which. */
export class NotReadable extends Error {}

/** Reads files of the server's tree by their paths, as a store reads its own; `undefined` for one that is not there. */
export const treeOf = (remote: Remote) => ({
  async read(path: string): Promise<Buffer | undefined> {
    const url = `${remote.base}${urlPath(path)}`
    const answer = await ask({ method: 'GET', url, headers: headersOf(remote) }, MOST_FILE_BYTES)
    if (answer.status === 404) return undefined
    if (answer.status === 200) return Buffer.from(answer.body)
    const refusal = refusalOf(remote.base, answer, meaningFor(remote, 'read there'))
    throw answer.status === 401 ? new NotReadable(refusal.message) : refusal
  },
})

/** Owners that are listed. A server that tells of more is not to be believed. */
const MOST_OWNERS = 100_000

type OwnerFields = { name: string; public: boolean }

function parseOwners(remote: Remote, { body }: Answer): OwnerFields[] {
  const list = parseJson(body)
  if (!Array.isArray(list)) throw new Error(`${remote.base} did not answer with a list of owners`)
  return (list as (null | { username?: unknown; visibility?: unknown })[]).map((owner) => ({
    name: String(owner?.username),
    public: owner?.visibility === 'public',
  }))
}

/** The owners that these credentials, or anybody, may read, in the order of their names. */
export async function ownersOf(remote: Remote): Promise<OwnerFields[]> {
  const owners: OwnerFields[] = []
  for (let page = 1; ; page++) {
    const url = `${remote.base}/api/v1/orgs?limit=${OWNERS_A_PAGE}&page=${page}`
    const answer = await ask({ method: 'GET', url, headers: headersOf(remote) }, MOST_JSON_BYTES)
    if (answer.status !== 200) throw refusalOf(remote.base, answer, meaningFor(remote, 'list owners'))
    const shown = parseOwners(remote, answer)
    owners.push(...shown)
    const total = Math.min(Number(answer.headers['x-total-count']) || 0, MOST_OWNERS)
    if (shown.length === 0 || page * OWNERS_A_PAGE >= total) return owners
  }
}

/** What is deleted: a version, or a file of a generic version. */
type Deleted = { owner: string; kind: 'go' | 'generic'; name: string; version: string; file?: string }

/** Deletes it. What is not there any more is deleted, too. Throws any other refusal of the server. */
export async function deleteAt(remote: Remote, { owner, kind, name, version, file }: Deleted): Promise<void> {
  const at = { owner, name, version }
  const path =
    kind === 'go'
      ? `${modulePaths({ owner, module: name }).versions}/${escapePath(version)}`
      : file === undefined
        ? genericVersionFolder(at)
        : genericFile(at, file)
  const url = `${remote.base}${urlPath(path)}`
  const answer = await ask({ method: 'DELETE', url, headers: headersOf(remote) })
  if (answer.status !== 204 && answer.status !== 404)
    throw refusalOf(remote.base, answer, meaningFor(remote, 'delete there'))
}

/** An older Plinth has no such route, and any other server none of these paths. */
const takesNoCommands = ({ status, body }: Answer): boolean =>
  status === 405 || (status === 404 && (body.startsWith('not found: no package') || /^\s*</.test(body)))

/** Lets the server run a command; resolves with what it answers. It may be silent for `idleMs` meanwhile. */
export async function runAt<Answered extends object>(
  remote: Remote,
  command: string,
  request: object,
  idleMs?: number,
): Promise<Answered> {
  const asked = {
    method: 'POST',
    url: `${remote.base}/-/commands/${command}`,
    headers: { ...headersOf(remote), 'Content-Type': 'application/json' },
    body: JSON.stringify(request),
    ...(idleMs !== undefined && { idleMs }),
  }
  const answer = await ask(asked, MOST_JSON_BYTES)
  if (takesNoCommands(answer))
    throw new Error(`${remote.base} is no Plinth, or an older one without commands`)
  if (answer.status !== 200) throw refusalOf(remote.base, answer, meaningFor(remote, 'do that'))
  const answered = parseJson(answer.body)
  if (typeof answered !== 'object' || answered === null)
    throw new Error(`${remote.base} did not answer with what the command is for`)
  return answered as Answered
}
