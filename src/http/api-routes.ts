// Gitea's management API (/api/v1): lists packages, tells about versions and files, and deletes. The service answers
// from the views' files and from its list of versions; it never walks through a tree for a request but the first.

import type { Config } from '../config.js'
import { errno, quote, Refusal } from '../errors.js'
import { checkPackageName, checkPackageVersion } from '../generic/names.js'
import type { FilePublisher } from '../generic/publish.js'
import type { ModulePublisher } from '../go/publish.js'
import { checkModulePath } from '../gomod/module-path.js'
import { checkVersion } from '../gomod/semver.js'
import type { FileHashes } from '../packages/file-hashes.js'
import { readFilesOf, readIndexOf, type PackageName, type PackageVersion } from '../packages/published.js'
import type { PublishedVersion, VersionIndex } from '../packages/version-index.js'
import type { Site } from '../views/page-addresses.js'
import type { Admission } from './admission.js'
import { mustBeAccount, ownerForReader, ownerForWriter } from './api-access.js'
import { accountAnswer, fileAnswer, organizationAnswer, ownerAnswer, packageAnswer } from './api-answers.js'
import type { ApiTurns } from './api-turns.js'
import { linkHeader, pageOf, type Page } from './api-paging.js'
import type { Needs } from './authorize.js'
import { baseUrl } from './base-url.js'
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

/** The parameters in a path, decoded. `type` and names are as the client wrote them. */
type Named = { owner: string; type: string; name: string }

const placeOf = (ctx: RequestContext, { config, site }: ApiParts) => ({ baseUrl: baseUrl(ctx, config), site })

const noPackage = ({ type, name }: Omit<Named, 'owner'>): Refusal =>
  new Refusal(404, `there is no package ${quote(name)} of type ${quote(type)}`)
const noVersion = ({ name, version }: PackageVersion): Refusal =>
  new Refusal(404, `there is no version ${quote(version)} of ${quote(name)}`)

/** The package that is named. Throws a 404 for what can be none. */
function packageOf({ type, name }: Named): PackageName {
  if (type === 'go' && checkModulePath(name) === undefined) return { kind: 'go', name }
  if (type === 'generic' && checkPackageName(name) === undefined) return { kind: 'generic', name }
  throw noPackage({ type, name })
}

/** The version that is named. Throws a 404 for what can be none. */
function versionOf(named: Named & { version: string }): PackageVersion {
  const at = { ...packageOf(named), version: named.version }
  const problem = at.kind === 'go' ? checkVersion(at.version) : checkPackageVersion(at.version)
  if (problem !== undefined) throw noVersion(at)
  return at
}

/** `GET /packages/{owner}`, `GET /packages/{owner}/{type}/{name}`: versions page by page, the newest first. */
export async function listVersions(
  parts: ApiParts,
  ctx: RequestContext,
  { owner: name, ...only }: { owner: string } & Partial<Named>,
): Promise<void> {
  const owner = await ownerForReader(parts, ctx, name)
  const query = new URLSearchParams(ctx.querystring)
  const isMeant = only.name === undefined ? filterOf(query) : exactly({ owner: name, ...only } as Named)
  const page = pageOf(query)
  const { shown, total } = await parts.turns.run(ctx, async () =>
    cut(await parts.versions.all(name), isMeant, page),
  )
  const place = placeOf(ctx, parts)
  const link = linkHeader(new URL(`${place.baseUrl}${ctx.path}`), query, page, total)
  if (link !== undefined) ctx.set('Link', link)
  ctx.set('X-Total-Count', String(total))
  ctx.body = shown.map((at) => packageAnswer(place, owner, at))
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

function exactly(named: Named): Filter {
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
export async function getLatest(parts: ApiParts, ctx: RequestContext, named: Named): Promise<void> {
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
  named: Named & { version: string },
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
  named: Named & { version: string },
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
  named: Named & { version: string },
): Promise<void> {
  const owner = await ownerForWriter(parts, ctx, named.owner)
  await remove(parts, ctx, owner.name, versionOf(named))
  ctx.status = 204
}

/**
 * `DELETE …/{type}/{name}` → 204: one version after the other. What is published meanwhile stays. It ends with the
 * connection, and with the right to delete.
 */
export async function deletePackage(parts: ApiParts, ctx: RequestContext, named: Named): Promise<void> {
  const owner = await ownerForWriter(parts, ctx, named.owner)
  const at = packageOf(named)
  const index = await readIndexOf(parts.store, owner.name, at)
  if (!index) throw noPackage(named)
  // The lowest first: as long as the highest is there, the latest stays what it is.
  const versions = [...index.versions.map(({ version }) => version), ...index.older].toReversed()
  for (const [nth, version] of versions.entries()) {
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

function remove(
  { admission, modules, files }: ApiParts,
  ctx: RequestContext,
  owner: string,
  { kind, name, version }: PackageVersion,
): Promise<void> {
  return admission.delete(accountOf(ctx), () =>
    kind === 'go'
      ? modules.remove({ owner, module: name, version })
      : files.removeVersion({ owner, name, version }),
  )
}

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

/** `GET /orgs/{owner}` */
export async function getOrganization(
  parts: ApiParts,
  ctx: RequestContext,
  { owner }: { owner: string },
): Promise<void> {
  ctx.body = organizationAnswer(await ownerForReader(parts, ctx, owner))
}
