// What commands ask of a Plinth elsewhere: its files, its owners, deletes, and the commands that a server runs.

import { urlPath } from '../layout.js'
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

type OwnerFields = { name: string; public: boolean }

function parseOwners(remote: Remote, { body }: Answer): OwnerFields[] {
  try {
    return (JSON.parse(body) as { username: unknown; visibility: unknown }[]).map(
      ({ username, visibility }) => ({ name: String(username), public: visibility === 'public' }),
    )
  } catch (error) {
    throw new Error(`${remote.base} did not answer with a list of owners`, { cause: error })
  }
}

/** The owners that these credentials, or anybody, may read, in the order of their names. */
export async function ownersOf(remote: Remote): Promise<OwnerFields[]> {
  const owners: OwnerFields[] = []
  for (let page = 1; ; page++) {
    const url = `${remote.base}/api/v1/orgs?limit=${OWNERS_A_PAGE}&page=${page}`
    const answer = await ask({ method: 'GET', url, headers: headersOf(remote) }, MOST_JSON_BYTES)
    if (answer.status !== 200) throw refusalOf(remote.base, answer, meaningFor(remote, 'list owners'))
    owners.push(...parseOwners(remote, answer))
    if (page * OWNERS_A_PAGE >= Number(answer.headers['x-total-count'] ?? 0)) return owners
  }
}

/** What is deleted: a package, a version, or a file of a generic version. */
type Deleted = { owner: string; kind: 'go' | 'generic'; name: string; version?: string; file?: string }

/** Deletes it. Throws the refusal of the server. */
export async function deleteAt(remote: Remote, { owner, kind, name, version, file }: Deleted): Promise<void> {
  const segments = (...names: string[]): string => names.map(encodeURIComponent).join('/')
  const path =
    version === undefined
      ? `v1/packages/${segments(owner, kind, name)}`
      : file === undefined
        ? `v1/packages/${segments(owner, kind, name, version)}`
        : `packages/${segments(owner, kind, name, version, file)}`
  const url = `${remote.base}/api/${path}`
  const answer = await ask({ method: 'DELETE', url, headers: headersOf(remote) })
  if (answer.status !== 204) throw refusalOf(remote.base, answer, meaningFor(remote, 'delete there'))
}

/** Lets the server run a command; resolves with what it answers. */
export async function runAt<Answered extends object>(
  remote: Remote,
  command: string,
  request: object,
): Promise<Answered> {
  const url = `${remote.base}/-/commands/${command}`
  const headers = { ...headersOf(remote), 'Content-Type': 'application/json' }
  const answer = await ask({ method: 'POST', url, headers, body: JSON.stringify(request) }, MOST_JSON_BYTES)
  if (answer.status !== 200) throw refusalOf(remote.base, answer, meaningFor(remote, 'do that'))
  return JSON.parse(answer.body) as Answered
}
