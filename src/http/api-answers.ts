// The JSON of Gitea's API, field for field as its SDK reads it. Pure.

import { createHash } from 'node:crypto'
import type { Account, Owner } from '../access/rights.js'
import type { Hashes } from '../digest.js'
import type { PublishedVersion } from '../packages/version-index.js'
import { ownerAddresses, type Site } from '../views/page-addresses.js'

/** The version of Gitea whose API this is. Clients compare it with the version that they need. */
export const GITEA_VERSION = '1.24.0'

/** Gitea counts. The same name has the same number here at any time: 48 bits of its hash. */
const idOf = (...names: string[]): number =>
  parseInt(createHash('sha256').update(names.join('\0')).digest('hex').slice(0, 12), 16)

// 2026-01-02T03:04:05Z
const timeOf = (ms: number): string => new Date(ms).toISOString().replace(/\.[0-9]+Z$/, 'Z')

/** Where the answer is read: the server's address, and what pages know of it. */
type Reader = { baseUrl: string; site: Site }

const pageUrl = ({ baseUrl }: Reader, path: string): string => new URL(path, baseUrl).href

type UserFields = {
  name: string
  created?: string
  admin?: boolean
  visibility?: 'public' | 'private'
  html_url: string
}

/** Gitea's User, with the fields of a person empty. */
const user = ({ name, created, admin = false, visibility = 'public', html_url }: UserFields) => ({
  id: idOf('owner', name),
  login: name,
  login_name: '',
  source_id: 0,
  full_name: '',
  email: '',
  avatar_url: '',
  html_url,
  language: '',
  is_admin: admin,
  last_login: timeOf(0),
  created: created ?? timeOf(0),
  restricted: false,
  active: true,
  prohibit_login: false,
  location: '',
  website: '',
  description: '',
  visibility,
  followers_count: 0,
  following_count: 0,
  starred_repos_count: 0,
  username: name,
})

const visibilityOf = (owner: Owner): 'public' | 'private' => (owner.public ? 'public' : 'private')

export const ownerAnswer = (reader: Reader, owner: Owner) =>
  user({
    name: owner.name,
    visibility: visibilityOf(owner),
    html_url: pageUrl(reader, ownerAddresses(reader.site, owner.name).page),
  })

export const accountAnswer = (reader: Reader, { name, created, admin }: Account) =>
  user({ name, created, admin, html_url: pageUrl(reader, ownerAddresses(reader.site, name).page) })

export const organizationAnswer = (owner: Owner) => ({
  id: idOf('owner', owner.name),
  name: owner.name,
  full_name: '',
  email: '',
  avatar_url: '',
  description: '',
  website: '',
  location: '',
  visibility: visibilityOf(owner),
  repo_admin_change_team_access: false,
  username: owner.name,
})

/** Who published a version is not kept with it: the creator is the owner. No package belongs to a repository. */
export function packageAnswer(reader: Reader, owner: Owner, at: PublishedVersion) {
  const { kind, name, version, time } = at
  const pages = ownerAddresses(reader.site, owner.name)
  const page = kind === 'go' ? pages.moduleVersion(name, version) : pages.genericVersion(name, version)
  const as = ownerAnswer(reader, owner)
  return {
    id: idOf('version', owner.name, kind, name, version),
    owner: as,
    repository: null,
    creator: as,
    type: kind,
    name,
    version,
    html_url: pageUrl(reader, page),
    created_at: timeOf(time),
  }
}

/** A file of a version. Older clients read `Size`. */
export const fileAnswer = (
  { owner, kind, name, version }: { owner: string } & Pick<PublishedVersion, 'kind' | 'name' | 'version'>,
  { file, size }: { file: string; size: number },
  { md5, sha1, sha256, sha512 }: Hashes,
) => ({
  id: idOf('file', owner, kind, name, version, file),
  size,
  Size: size,
  name: file,
  md5,
  sha1,
  sha256,
  sha512,
})
