// The generic registry's three writes. Reads are files.

import type { Context } from 'koa'
import type { Config } from '../config.js'
import { Refusal } from '../errors.js'
import { checkFits, genericFile, urlPath, type GenericVersion } from '../layout.js'
import { baseUrl } from './base-url.js'
import type { Receive } from './request-body.js'
import { checkFileName, mustBeNames, versionProblem } from '../generic/names.js'
import type { FilePublisher } from '../generic/publish.js'

type Needs = { config: Config; receive: Receive; files: FilePublisher }

export function genericRoutes({ config, receive, files }: Needs) {
  /** `PUT /api/packages/{owner}/generic/{name}/{version}/{file}` → 201 · 400 · 409 · 413 */
  const upload = async (ctx: Context, at: GenericVersion, file: string): Promise<void> => {
    mustBeNames(at, file)
    const path = genericFile(at, file)
    await files.mustBeFree(at, file)
    await receive(ctx, config.maxFileBytes, async (received) => {
      await files.publish(at, file, received)
      ctx.status = 201
      ctx.set('Location', urlPath(path))
      ctx.body =
        `published ${file} in ${at.name} ${at.version}, ${received.size} bytes\n` +
        `${baseUrl(ctx, config)}${urlPath(path)}\nsha256 ${received.sha256}\n`
    })
  }

  /** `DELETE …/{name}/{version}/{file}` → 204 · 404 */
  const removeFile = async (ctx: Context, at: GenericVersion, file: string): Promise<void> => {
    if (versionProblem(at) ?? checkFileName(file) ?? checkFits(genericFile(at, file), 'the path')) {
      throw new Refusal(404, `no file ${JSON.stringify(file)} in this package version`)
    }
    await files.removeFile(at, file)
    ctx.status = 204
  }

  /** `DELETE …/{name}/{version}` → 204 · 404 */
  const removeVersion = async (ctx: Context, at: GenericVersion): Promise<void> => {
    if (versionProblem(at) !== undefined) throw new Refusal(404, 'no such package version')
    await files.removeVersion(at)
    ctx.status = 204
  }

  return { upload, removeFile, removeVersion }
}
