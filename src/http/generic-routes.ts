// The three writes of the generic registry. Reads are files, which nginx serves.

import type { Config } from '../config.js'
import { quote, Refusal } from '../errors.js'
import { checkFileName, mustBeNames, versionProblem } from '../generic/names.js'
import type { FilePublisher } from '../generic/publish.js'
import { genericFile, urlPath, type GenericVersion } from '../layout.js'
import { compareFile, publishStated } from '../packages/same-content.js'
import { checkFits } from '../store/fits.js'
import type { StillAllowed } from './authorize.js'
import { baseUrl, locationOf } from './base-url.js'
import { receiveBody, sha256StatedIn, type Receiving } from './request-body.js'
import { accountOf, type RequestContext } from './request-state.js'

export type GenericRoutes = Receiving & { config: Config; files: FilePublisher }

/**
 * `PUT /api/packages/{owner}/generic/{name}/{version}/{file}` → 201 · 400 · 409 · 413. An upload that states the
 * SHA-256 of what is there already is 200 and changes nothing; then its body is not needed.
 */
export async function uploadFile(
  parts: GenericRoutes,
  ctx: RequestContext,
  at: GenericVersion,
  file: string,
  stillAllowed: StillAllowed,
): Promise<void> {
  const { config, store, files, admission } = parts
  mustBeNames(at, file)
  const stated = sha256StatedIn(ctx)
  const path = urlPath(genericFile(at, file))
  const url = `${baseUrl(ctx, config)}${path}`
  const isThere = (sha256: string): void => {
    ctx.status = 200
    ctx.body = `${file} is there already in ${at.name} ${at.version}, identical\n${url}\nsha256 ${sha256}\n`
  }
  if (await files.isThere(at, file, stated)) {
    ctx.req.resume() // the body is read and dropped, so that the answer gets through
    return isThere(stated ?? '')
  }
  await receiveBody(parts, ctx, config.maxFileBytes, async (received) => {
    const publishing = (): Promise<void> =>
      admission.atDisk(accountOf(ctx), () => files.publish(at, file, received, stillAllowed))
    const result = await publishStated(stated, publishing, () => compareFile(store, at, file, received))
    if (result === 'published already') return isThere(received.sha256)
    ctx.status = 201
    ctx.set('Location', locationOf(path, config))
    ctx.body =
      `published ${file} in ${at.name} ${at.version}, ${received.size} bytes\n` +
      `${url}\nsha256 ${received.sha256}\n`
  })
}

/** `DELETE …/{name}/{version}/{file}` → 204 · 404 */
export async function deleteFile(
  { files, admission }: Pick<GenericRoutes, 'files' | 'admission'>,
  ctx: RequestContext,
  at: GenericVersion,
  file: string,
): Promise<void> {
  if (versionProblem(at) ?? checkFileName(file) ?? checkFits(genericFile(at, file), 'the path')) {
    throw new Refusal(404, `no file ${quote(file)} in this package version`)
  }
  await admission.delete(accountOf(ctx), () => files.removeFile(at, file))
  ctx.status = 204
}

/** `DELETE …/{name}/{version}` → 204 · 404 */
export async function deleteGenericVersion(
  { files, admission }: Pick<GenericRoutes, 'files' | 'admission'>,
  ctx: RequestContext,
  at: GenericVersion,
): Promise<void> {
  if (versionProblem(at) !== undefined) throw new Refusal(404, 'no such package version')
  await admission.delete(accountOf(ctx), () => files.removeVersion(at))
  ctx.status = 204
}
