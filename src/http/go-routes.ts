// The two writes of the Go registry. Reads are files, which nginx serves.

import type { Config } from '../config.js'
import { quote, Refusal } from '../errors.js'
import type { ModuleIntake } from '../go/intake.js'
import type { ModulePublisher } from '../go/publish.js'
import { getCommand, type ModulePlace } from '../gomod/get-command.js'
import { checkModulePath, unescapePath } from '../gomod/module-path.js'
import { problemText } from '../gomod/problems.js'
import { checkVersion } from '../gomod/semver.js'
import { urlPath, versionFile } from '../layout.js'
import type { CheckPool } from '../modzip/check-pool.js'
import type { ModuleZip } from '../modzip/read-zip.js'
import { compareModule, publishStated, type PublishResult } from '../packages/same-content.js'
import type { StillAllowed } from './authorize.js'
import { baseUrl, locationOf } from './base-url.js'
import { receiveBody, sha256StatedIn, type Receiving } from './request-body.js'
import { accountOf, type RequestContext } from './request-state.js'

export type GoRoutes = Receiving & {
  config: Config
  zips: CheckPool
  intake: ModuleIntake
  modules: ModulePublisher
}

/**
 * `PUT|POST /api/packages/{owner}/go/upload` → 201 · 400 · 409 · 413. An upload that states its SHA-256 and has the
 * content that is there already, the same bytes or the same files (`h1:`), is 200 and changes nothing.
 */
export function uploadModule(
  parts: GoRoutes,
  ctx: RequestContext,
  owner: string,
  stillAllowed: StillAllowed,
): Promise<void> {
  const { config, store, zips, intake, admission } = parts
  const stated = sha256StatedIn(ctx)
  return receiveBody(parts, ctx, config.maxModuleBytes, async (received) => {
    const account = accountOf(ctx)
    const zip = await intake.read(received, { account })
    const how = { mayStill: stillAllowed }
    const at = { owner, module: zip.module, version: zip.version }
    ctx.state.change = { kind: 'publish', owner, what: `${zip.module}@${zip.version}` }
    const result = await publishStated(
      stated,
      () => admission.atDisk(account, () => intake.publishRead(owner, received, zip, how)),
      () => compareModule({ store, zips }, at, received, async () => zip.zipHash),
    )
    ctx.status = result === 'published' ? 201 : 200
    if (result === 'published') ctx.set('Location', locationOf(urlPath(versionFile(at, 'info')), config))
    ctx.body = publishedText(
      result,
      { url: baseUrl(ctx, config), owner, prefixes: config.importPrefixes },
      zip,
    )
  })
}

// The command that a person runs next, the two lines of go.sum, and what go will warn of.
function publishedText(result: PublishResult, place: ModulePlace, zip: ModuleZip): string {
  const { module, version } = zip
  const registry = `${place.url}/api/packages/${place.owner}/go`
  const lines = [
    result === 'published'
      ? `published ${module} ${version}`
      : `already published, identical: ${module} ${version}`,
    getCommand(module, version, registry, place),
    `${module} ${version} ${zip.zipHash}`,
    `${module} ${version}/go.mod ${zip.modHash}`,
  ]
  if (zip.warnings.length > 0) {
    const warnings = problemText(zip.warnings).split('\n')
    lines.push(...warnings.map((line) => `warning: ${line}`))
  }
  return `${lines.join('\n')}\n`
}

/** As the URL has them: with `!` and a small letter for each capital letter. */
type EscapedVersion = { owner: string; module: string; version: string }

/** `DELETE /api/packages/{owner}/go/{!module}/@v/{!version}` → 204 · 404 */
export async function deleteModuleVersion(
  { modules, admission }: Pick<GoRoutes, 'modules' | 'admission'>,
  ctx: RequestContext,
  escaped: EscapedVersion,
): Promise<void> {
  const module = unescapePath(escaped.module)
  const version = unescapePath(escaped.version)
  const known = module !== undefined && version !== undefined
  if (!known || checkModulePath(module) !== undefined || checkVersion(version) !== undefined) {
    const asked = quote(`${escaped.module}@${escaped.version}`)
    const rule = 'a capital letter is written as ! and the small one'
    throw new Refusal(404, `no module version ${asked} (${rule})`)
  }
  ctx.state.change = { kind: 'delete', owner: escaped.owner, what: `${module}@${version}` }
  await admission.delete(accountOf(ctx), () => modules.remove({ owner: escaped.owner, module, version }))
  ctx.status = 204
}
