// Gitea's management API (/api/v1): lists packages, tells about versions and files, and deletes. The service answers
// from the views' files and from its list of versions; it never walks through a tree for a request but the first.

import type { Config } from '../config.js'
import { errno, Refusal } from '../errors.js'
import type { FilePublisher } from '../generic/publish.js'
import type { ModulePublisher } from '../go/publish.js'
import type { FileHashes } from '../packages/file-hashes.js'
import { readFilesOf, readIndexOf, type PackageVersion } from '../packages/published.js'
import type { PublishedVersion, VersionIndex } from '../packages/version-index.js'
import type { Site } from '../views/page-addresses.js'
import type { Admission } from './admission.js'
import {
  accountOfRequest,
  mustBeAccount,
  ownerForReader,
  ownerForWriter,
  readableOwners,
} from './api-access.js'
import { accountAnswer, fileAnswer, organizationAnswer, ownerAnswer, packageAnswer } from './api-answers.js'
import type { ApiTurns } from './api-turns.js'
import { linkHeader, pageOf, type Page } from './api-paging.js'
import type { Needs } from './authorize.js'
import { baseUrl } from './base-url.js'
import {
  deleteVersionOf,
  noPackage,
  noVersion,
  packageOf,
  versionOf,
  versionsToDelete,
  type NamedPackage,
} from './deletion.js'
import { accountOf, type RequestContext } from './request-state.js'

/** What the API works with. */
export type ApiParts = Needs & {
  config: Config
  site: Site
  admission: Admission
  modules: ModulePublisher
  files: FilePublisher
  versions: VersionIndex
  hashes: FileHashes
  turns: ApiTurns
}

const placeOf = (ctx: RequestContext, { config, site }: ApiParts) => ({ baseUrl: baseUrl(ctx, config), site })

/** `GET /packages/{owner}`, `GET /packages/{owner}/{type}/{name}`: versions page by page, the newest first. */
export async function listVersions(
  parts: ApiParts,
  ctx: RequestContext,
  { owner: name, ...only }: { owner: string } & Partial<NamedPackage>,
): Promise<void> {
  const owner = await ownerForReader(parts, ctx, name)
  const query = new URLSearchParams(ctx.querystring)
  const isMeant =
    only.name === undefined ? filterOf(query) : exactly({ owner: name, ...only } as NamedPackage)
  const page = pageOf(query)
  const { shown, total } = await parts.turns.run(ctx, async () =>
    cut(await parts.versions.all(name), isMeant, page),
  )
  announce(parts, ctx, query, page, total)
  const place = placeOf(ctx, parts)
  ctx.body = shown.map((at) => packageAnswer(place, owner, at))
}

/** Says which page of how many entries the answer is. */
function announce(
  { config }: ApiParts,
  ctx: RequestContext,
  query: URLSearchParams,
  page: Page,
  total: number,
): void {
  const link = linkHeader(new URL(`${baseUrl(ctx, config)}${ctx.path}`), query, page, total)
  if (link !== undefined) ctx.set('Link', link)
  ctx.set('X-Total-Count', String(total))
}

/** Characters of `q`. A module path has no more. */
const LONGEST_QUERY = 300

type Filter = (at: PublishedVersion) => boolean

/** A page of those that are meant, the newest first, and how many they are. `all` has the oldest first. */
function cut(
  all: readonly PublishedVersion[],
  isMeant: Filter | undefined,
  { page, limit }: Page,
): { shown: PublishedVersion[]; total: number } {
  const skipped = (page - 1) * limit
  if (!isMeant) {
    const end = Math.max(0, all.length - skipped)
    return { shown: all.slice(Math.max(0, end - limit), end).toReversed(), total: all.length }
  }
  // Not `filter`: a list of 100,000 for each request would be garbage that takes 10 MB.
  const shown: PublishedVersion[] = []
  let total = 0
  for (let nth = all.length - 1; nth >= 0; nth--) {
    const at = all[nth]
    if (!at || !isMeant(at)) continue
    if (total >= skipped && shown.length < limit) shown.push(at)
    total++
  }
  return { shown, total }
}

function exactly(named: NamedPackage): Filter {
  const { kind, name } = packageOf(named)
  return (at) => at.name === name && at.kind === kind
}

/** `?type=go&q=text`: the name has the text in it, in any case of letters. */
function filterOf(query: URLSearchParams): Filter | undefined {
  const type = query.get('type')?.trim() ?? ''
  const text = query.get('q')?.trim().toLowerCase() ?? ''
  if (text.length > LONGEST_QUERY) throw new Refusal(400, `q has at most ${LONGEST_QUERY} characters`)
  if (text === '') return type === '' ? undefined : ({ kind }) => kind === type
  const known = new Map<string, boolean>() // a package may have very many versions
  const hasText = (name: string): boolean => {
    const before = known.get(name)
    if (before !== undefined) return before
    const has = name.toLowerCase().includes(text)
    known.set(name, has)
    return has
  }
  return ({ kind, name }) => (type === '' || kind === type) && hasText(name)
}

/** `GET …/{type}/{name}/-/latest`: the version that `@latest` names, or the latest of files. */
export async function getLatest(parts: ApiParts, ctx: RequestContext, named: NamedPackage): Promise<void> {
  const owner = await ownerForReader(parts, ctx, named.owner)
  const at = packageOf(named)
  const index = await parts.turns.run(ctx, () => readIndexOf(parts.store, owner.name, at))
  if (!index) throw noPackage(named)
  await answerVersion(parts, ctx, owner, { ...at, version: index.latest })
}

/** `GET …/{type}/{name}/{version}` */
export async function getVersion(
  parts: ApiParts,
  ctx: RequestContext,
  named: NamedPackage & { version: string },
): Promise<void> {
  const owner = await ownerForReader(parts, ctx, named.owner)
  await answerVersion(parts, ctx, owner, versionOf(named))
}

async function answerVersion(
  parts: ApiParts,
  ctx: RequestContext,
  owner: Awaited<ReturnType<typeof ownerForReader>>,
  at: PackageVersion,
): Promise<void> {
  const found = await parts.versions.get(owner.name, at)
  if (!found) throw noVersion(at)
  ctx.body = packageAnswer(placeOf(ctx, parts), owner, found)
}

/** `GET …/{type}/{name}/{version}/files`: 503 while hashes are being computed. */
export async function listFiles(
  parts: ApiParts,
  ctx: RequestContext,
  named: NamedPackage & { version: string },
): Promise<void> {
  const { name: owner } = await ownerForReader(parts, ctx, named.owner)
  const at = versionOf(named)
  const found = await parts.turns.run(ctx, () => readFilesOf(parts.store, owner, at))
  if (!found) throw noVersion(at)
  const hashes = await parts.hashes.of(found.at, found.files, ctx.ip).catch((error: unknown) => {
    throw errno(error) === 'ENOENT' ? noVersion(at) : error // deleted meanwhile
  })
  ctx.body = found.files.flatMap((file, nth) => {
    const of = hashes[nth]
    return of ? [fileAnswer({ owner, ...at }, file, of)] : []
  })
}

/** `DELETE …/{type}/{name}/{version}` → 204 */
export async function deleteVersion(
  parts: ApiParts,
  ctx: RequestContext,
  named: NamedPackage & { version: string },
): Promise<void> {
  const owner = await ownerForWriter(parts, ctx, named.owner)
  await remove(parts, ctx, owner.name, versionOf(named))
  ctx.status = 204
}

/**
 * `DELETE …/{type}/{name}` → 204: one version after the other. What is published meanwhile stays. It ends with the
 * connection, and with the right to delete.
 */
export async function deletePackage(
  parts: ApiParts,
  ctx: RequestContext,
  named: NamedPackage,
): Promise<void> {
  const owner = await ownerForWriter(parts, ctx, named.owner)
  const at = packageOf(named)
  for (const [nth, version] of (await versionsToDelete(parts.store, owner.name, at)).entries()) {
    if (ctx.res.destroyed) return
    if (nth > 0) await ownerForWriter(parts, ctx, named.owner)
    try {
      await remove(parts, ctx, owner.name, { ...at, version })
    } catch (error) {
      if (!(error instanceof Refusal && error.status === 404)) throw error // somebody else was faster
    }
  }
  ctx.status = 204
}

const remove = (parts: ApiParts, ctx: RequestContext, owner: string, at: PackageVersion): Promise<void> =>
  parts.admission.delete(accountOf(ctx), () => deleteVersionOf(parts, owner, at))

/** `GET /user`: whose credentials these are. */
export async function getUser(parts: ApiParts, ctx: RequestContext): Promise<void> {
  ctx.body = accountAnswer(placeOf(ctx, parts), await mustBeAccount(parts, ctx))
}

/** `GET /users/{owner}` */
export async function getOwner(
  parts: ApiParts,
  ctx: RequestContext,
  { owner }: { owner: string },
): Promise<void> {
  ctx.body = ownerAnswer(placeOf(ctx, parts), await ownerForReader(parts, ctx, owner))
}

/** `GET /orgs`: the owners that the request may read, page by page, in the order of their names. */
export async function listOrganizations(parts: ApiParts, ctx: RequestContext): Promise<void> {
  const query = new URLSearchParams(ctx.querystring)
  const page = pageOf(query)
  const account = await accountOfRequest(parts, ctx)
  const { shown, total } = await parts.turns.run(ctx, () => readableOwners(parts.store, account, page))
  announce(parts, ctx, query, page, total)
  ctx.body = shown.map(organizationAnswer)
}

/** `GET /orgs/{owner}` */
export async function getOrganization(
  parts: ApiParts,
  ctx: RequestContext,
  { owner }: { owner: string },
): Promise<void> {
  ctx.body = organizationAnswer(await ownerForReader(parts, ctx, owner))
}
