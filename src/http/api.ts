// The routes of Gitea's API.

import { Router, type RouterContext } from '@koa/router'
import type { Config } from '../config.js'
import { GITEA_VERSION } from './api-answers.js'
import {
  deletePackage,
  deleteVersion,
  getLatest,
  getOrganization,
  getOwner,
  getUser,
  getVersion,
  listFiles,
  listOrganizations,
  listVersions,
  type ApiParts,
} from './api-routes.js'
import { changeOf } from './audit-requests.js'
import { baseUrl } from './base-url.js'
import { mustDecode } from './middleware.js'
import type { RequestContext, RequestMiddleware, RequestState } from './request-state.js'

const API = '/api/v1'

/** Refusals below the API's path are told in its JSON. */
export const answerInJson =
  (config: Config): RequestMiddleware =>
  (ctx, next) => {
    if (ctx.path.startsWith(`${API}/`)) ctx.state.apiUrl = `${baseUrl(ctx, config)}${API}`
    return next()
  }

export function apiRouter(parts: ApiParts): Router<RequestState> {
  const answer =
    <Params>(action: (parts: ApiParts, ctx: RequestContext, params: Params) => Promise<void>) =>
    async (ctx: RouterContext<RequestState>): Promise<void> => {
      mustDecode(ctx)
      if (ctx.method === 'DELETE') ctx.state.change = changeOf(ctx.method, ctx.params)
      ctx.set('Cache-Control', 'no-cache')
      await action(parts, ctx, ctx.params as Params) // the route's pattern has them
    }
  const OWNER = '/packages/:owner'
  const PACKAGE = `${OWNER}/:type/:name`
  // `-` is no name of a version here: Gitea has its own addresses below it
  const VERSION = `${PACKAGE}/:version`
  return new Router<RequestState>({ prefix: API, sensitive: true })
    .get('/version', (ctx) => {
      ctx.body = { version: GITEA_VERSION }
    })
    .get('/user', answer(getUser))
    .get('/users/:owner', answer(getOwner))
    .get('/orgs', answer(listOrganizations))
    .get('/orgs/:owner', answer(getOrganization))
    .get(OWNER, answer(listVersions))
    .get(PACKAGE, answer(listVersions))
    .get(`${PACKAGE}/-/latest`, answer(getLatest))
    .get(VERSION, answer(getVersion))
    .get(`${VERSION}/files`, answer(listFiles))
    .delete(PACKAGE, answer(deletePackage))
    .delete(VERSION, answer(deleteVersion))
}
