// Leads from a module's path as people write it to the address of its page, which has go's escaped form. Pages are
// files, which nginx serves.

import { isOwnerName } from '../access/rights.js'
import { quote, Refusal } from '../errors.js'
import { checkModulePath } from '../gomod/module-path.js'
import { checkVersion } from '../gomod/semver.js'
import { ownerAddresses } from '../views/page-addresses.js'
import type { RequestContext } from './request-state.js'

/**
 * `GET /{owner}/go/{module}[@{version}]` with a capital letter → 302 · 404 for what is no module path. It does not look
 * whether there is such a module, so that nothing is told of a private owner.
 */
export function leadToPage(
  ctx: RequestContext,
  publicUrl: string | undefined,
  { owner, path }: { owner: string; path: string },
): void {
  const [module = '', version, ...more] = path.replace(/\/$/, '').split('@')
  const isModule = isOwnerName(owner) && checkModulePath(module) === undefined && more.length === 0
  if (!isModule || (version !== undefined && checkVersion(version) !== undefined))
    throw new Refusal(404, `there is no page of ${quote(path)}: it is not the path of a module`)
  const pages = ownerAddresses({ publicUrl }, owner)
  ctx.status = 302
  ctx.set('Location', version === undefined ? pages.module(module) : pages.moduleVersion(module, version))
}
