// The HTTP service on one screen: the middleware that every request passes, and the routes.

import { Router, type RouterContext } from '@koa/router'
import Koa from 'koa'
import type { KnownAccounts } from '../access/known-accounts.js'
import type { Config } from '../config.js'
import type { Log } from '../log.js'
import { answerInJson, apiRouter } from './api.js'
import type { ApiParts } from './api-routes.js'
import { ApiTurns } from './api-turns.js'
import { answerWhetherReader } from './asked.js'
import { mustBeAllowed, type StillAllowed } from './authorize.js'
import { runCommandFor, type CommandNeeds } from './command-routes.js'
import { FailedLogins } from './failed-logins.js'
import { deleteFile, deleteGenericVersion, uploadFile, type GenericRoutes } from './generic-routes.js'
import { deleteModuleVersion, uploadModule, type GoRoutes } from './go-routes.js'
import {
  answerErrors,
  hearErrors,
  logWrites,
  mustDecode,
  refuseOtherSites,
  refuseUnrouted,
} from './middleware.js'
import { leadToPage } from './page-routes.js'
import { answerReady, type AskReady } from './ready-route.js'
import type { RequestContext, RequestMiddleware, RequestState } from './request-state.js'

/** What the routes work with. */
type AppParts = GoRoutes &
  GenericRoutes &
  Omit<ApiParts, 'failures' | 'turns'> &
  Omit<CommandNeeds, 'failures'> & {
    config: Config
    log: Log
    accounts: KnownAccounts
    readiness: AskReady
    /** Sees every request and its answer. */
    observe?: RequestMiddleware | undefined
  }

const OWNER = '/api/packages/:owner'

const methodsOf = (router: Router<RequestState>, path: string): string[] =>
  router.match(path, '').path.flatMap(({ methods }) => methods)

const refuseOthers =
  (routers: readonly Router<RequestState>[]): RequestMiddleware =>
  (ctx) =>
    refuseUnrouted(
      ctx,
      routers.flatMap((router) => methodsOf(router, ctx.path)),
    )

/** The routes of uploads and deletes. */
function writeRoutes(parts: AppParts, failures: FailedLogins): Router<RequestState> {
  const { store, accounts } = parts

  // The router decodes each parameter once. It may hold `..`, `/` and NUL: it is checked where it becomes a name.
  const write =
    <Name extends string>(
      action: (
        ctx: RequestContext,
        params: Record<Name, string>,
        stillAllowed: StillAllowed,
      ) => Promise<void>,
    ) =>
    async (ctx: RouterContext<RequestState>): Promise<void> => {
      const params = ctx.params as Record<Name | 'owner', string> // the route's pattern has them
      const stillAllowed = await mustBeAllowed({ store, accounts, failures }, ctx, params.owner)
      mustDecode(ctx)
      await action(ctx, params, stillAllowed)
    }

  const goUpload = write<'owner'>((ctx, { owner }, stillAllowed) =>
    uploadModule(parts, ctx, owner, stillAllowed),
  )
  return new Router<RequestState>({ sensitive: true, strict: true })
    .put(`${OWNER}/go/upload`, goUpload)
    .post(`${OWNER}/go/upload`, goUpload)
    .delete(
      `${OWNER}/go/*module/@v/:version`,
      write<'owner' | 'module' | 'version'>((ctx, { owner, module, version }) =>
        deleteModuleVersion(parts, ctx, { owner, module, version }),
      ),
    )
    .put(
      `${OWNER}/generic/:name/:version/:file`,
      write<'owner' | 'name' | 'version' | 'file'>((ctx, { owner, name, version, file }, stillAllowed) =>
        uploadFile(parts, ctx, { owner, name, version }, file, stillAllowed),
      ),
    )
    .delete(
      `${OWNER}/generic/:name/:version/:file`,
      write<'owner' | 'name' | 'version' | 'file'>((ctx, { owner, name, version, file }) =>
        deleteFile(parts, ctx, { owner, name, version }, file),
      ),
    )
    .delete(
      `${OWNER}/generic/:name/:version`,
      write<'owner' | 'name' | 'version'>((ctx, { owner, name, version }) =>
        deleteGenericVersion(parts, ctx, { owner, name, version }),
      ),
    )
}

export function createApp(parts: AppParts): Koa<RequestState> {
  const { store, accounts, config, log } = parts
  const failures = new FailedLogins(config.failedLogins)
  const router = writeRoutes(parts, failures)
  router.get('/-/asked', (ctx: RouterContext<RequestState>) =>
    answerWhetherReader({ store, accounts, failures }, ctx),
  )
  router.post('/-/commands/:name', (ctx: RouterContext<RequestState>) =>
    runCommandFor({ ...parts, failures }, ctx, ctx.params as { name: string }),
  )
  for (const page of ['/:owner/go/*path', '/-/:owner/go/*path'])
    router.get(page, (ctx: RouterContext<RequestState>) =>
      leadToPage(ctx, config.publicUrl, ctx.params as { owner: string; path: string }),
    )

  const app = new Koa<RequestState>()
  app.proxy = true // nginx sets X-Forwarded-For and X-Forwarded-Proto, and only nginx reaches the service
  if (parts.observe) app.use(parts.observe)
  app.use(hearErrors)
  app.use(answerInJson(config))
  app.use(logWrites(log))
  app.use(answerErrors(log))
  app.use(refuseOtherSites(config))
  app.use(answerReady(parts.readiness, parts.admission))
  app.use(parts.admission.count)
  const routers = [router, apiRouter({ ...parts, failures, turns: new ApiTurns() })]
  for (const each of routers) app.use(each.routes())
  app.use(refuseOthers(routers))
  return app
}
