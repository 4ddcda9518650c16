// The whole service on one screen: what every request passes, and which route does what.

import { Router, type RouterContext } from '@koa/router'
import Koa, { type Context } from 'koa'
import type { Access } from '../access/access.js'
import { mustBeAllowed } from './authorize.js'
import type { Config } from '../config.js'
import { answerErrors, logWrites, mustDecode } from './middleware.js'
import { makeFailedLogins } from './failed-logins.js'
import type { FilePublisher } from '../generic/publish.js'
import { genericRoutes } from './generic-routes.js'
import type { ModuleIntake } from '../go/intake.js'
import type { ModulePublisher } from '../go/publish.js'
import { goRoutes } from './go-routes.js'
import type { Log } from '../log.js'
import type { Gate } from './admission.js'
import type { Receive } from './request-body.js'

/** What the routes work with; main.ts makes one of each. */
export type Parts = {
  config: Config
  gate: Gate
  receive: Receive
  access: Access
  log: Log
  intake: ModuleIntake
  modules: ModulePublisher
  files: FilePublisher
}

const OWNER = '/api/packages/:owner'

export function createApp(parts: Parts): Koa {
  const { access, config, log } = parts
  const failures = makeFailedLogins(config.failedLogins)
  const go = goRoutes(parts)
  const generic = genericRoutes(parts)

  // Parameters arrive decoded once, `..`, `/` and NUL included: each is checked where it becomes a name.
  type Names = { owner: string; name: string; version: string; file: string; module: string }
  type Write = (ctx: Context, names: Names) => Promise<void>
  const write =
    (action: Write) =>
    async (ctx: RouterContext): Promise<void> => {
      const names = { owner: '', name: '', version: '', file: '', module: '', ...ctx.params }
      await mustBeAllowed(ctx, access, failures, names.owner)
      mustDecode(ctx)
      await action(ctx, names)
    }

  const goUpload = write((ctx, { owner }) => go.upload(ctx, owner))
  const router = new Router({ sensitive: true, strict: true })
    .put(`${OWNER}/go/upload`, goUpload)
    .post(`${OWNER}/go/upload`, goUpload)
    .delete(
      `${OWNER}/go/*module/@v/:version`,
      write((ctx, { owner, module, version }) => go.remove(ctx, owner, module, version)),
    )
    .put(
      `${OWNER}/generic/:name/:version/:file`,
      write((ctx, { file, ...at }) => generic.upload(ctx, at, file)),
    )
    .delete(
      `${OWNER}/generic/:name/:version/:file`,
      write((ctx, { file, ...at }) => generic.removeFile(ctx, at, file)),
    )
    .delete(
      `${OWNER}/generic/:name/:version`,
      write((ctx, at) => generic.removeVersion(ctx, at)),
    )

  const app = new Koa()
  app.proxy = true // nginx, and only nginx, sets X-Forwarded-For and X-Forwarded-Proto
  app.use(logWrites(log))
  app.use(answerErrors(log))
  app.use(parts.gate.count)
  app.use(router.routes())
  app.use(router.allowedMethods())
  return app
}
