// The Go registry's two writes. Reads are files.

import type { Context } from 'koa'
import type { Config } from '../config.js'
import { Refusal } from '../errors.js'
import { urlPath, versionFile } from '../layout.js'
import { baseUrl } from './base-url.js'
import type { Receive } from './request-body.js'
import type { ModuleIntake } from '../go/intake.js'
import { checkModulePath, unescapePath } from '../gomod/module-path.js'
import { problemText } from '../gomod/problems.js'
import type { ModulePublisher } from '../go/publish.js'
import { checkVersion } from '../gomod/semver.js'
import type { ModuleZip } from '../modzip/read-zip.js'

type Needs = { config: Config; receive: Receive; intake: ModuleIntake; modules: ModulePublisher }

// What a person does next, go.sum's two lines, and what go will stumble over.
function publishedText(base: string, owner: string, zip: ModuleZip): string {
  const { module, version } = zip
  const lines = [
    `published ${module} ${version}`,
    `GOPROXY=${base}/api/packages/${owner}/go GONOSUMDB=${module} go get ${module}@${version}`,
    `${module} ${version} ${zip.zipHash}`,
    `${module} ${version}/go.mod ${zip.modHash}`,
  ]
  if (zip.warnings.length > 0) {
    lines.push(
      ...problemText(zip.warnings)
        .split('\n')
        .map((line) => `warning: ${line}`),
    )
  }
  return `${lines.join('\n')}\n`
}

export function goRoutes({ config, receive, intake, modules }: Needs) {
  /** `PUT|POST /api/packages/{owner}/go/upload` → 201 · 400 · 409 · 413 */
  const upload = (ctx: Context, owner: string): Promise<void> =>
    receive(ctx, config.maxModuleBytes, async (received) => {
      const zip = await intake.publish(owner, received)
      const at = { owner, module: zip.module, version: zip.version }
      ctx.status = 201
      ctx.set('Location', urlPath(versionFile(at, 'info')))
      ctx.body = publishedText(baseUrl(ctx, config), owner, zip)
    })

  /** `DELETE /api/packages/{owner}/go/{!module}/@v/{!version}` → 204 · 404 */
  const remove = async (
    ctx: Context,
    owner: string,
    escapedModule: string,
    escapedVersion: string,
  ): Promise<void> => {
    const module = unescapePath(escapedModule)
    const version = unescapePath(escapedVersion)
    const known = module !== undefined && version !== undefined
    if (!known || checkModulePath(module) !== undefined || checkVersion(version) !== undefined) {
      throw new Refusal(
        404,
        `no module version ${JSON.stringify(`${escapedModule}@${escapedVersion}`)} (a capital letter is written as ! and the small one)`,
      )
    }
    await modules.remove({ owner, module, version })
    ctx.status = 204
  }

  return { upload, remove }
}
