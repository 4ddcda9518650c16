// Commands from other machines: `POST /-/commands/{name}` with the request as JSON. An admin may ask for all of them,
// an account for what is about itself.

import type { Account } from '../access/rights.js'
import { Refusal } from '../errors.js'
import type { Admission } from './admission.js'
import { authenticated, mustStillBe, type Needs } from './authorize.js'
import { withBodyClock } from './body-clock.js'
import { parseJson } from '../store/parse-json.js'
import { idOf, type RequestContext } from './request-state.js'

const MOST_BYTES = 65_536
/** A request is one packet or two. */
const BODY_MS = 10_000

/**
 * Runs the command `name` for an account of `address` that asks by the request `id`. Resolves with its answer. Throws a
 * 404 for an unknown command, a 400 for a malformed request, a 403 when the account may not ask for it.
 */
export type RunCommand = (
  name: string,
  asked: Record<string, unknown>,
  by: { account: Account; address: string; id: string },
) => Promise<object>

/** What the commands of other machines need. */
export type CommandNeeds = Needs & { admission: Admission; runCommand: RunCommand }

/**
 * Answers with what the command answers, as JSON. `self: true` in a request stands for the name of its account. The
 * credentials are checked again when it is the turn of the command: the account may have lost its token or its rights.
 */
export async function runCommandFor(
  needs: CommandNeeds,
  ctx: RequestContext,
  { name }: { name: string },
): Promise<void> {
  const { account: known, token, attempt } = await authenticated(needs, ctx)
  attempt.forgive()
  if (ctx.is('application/json') !== 'application/json')
    throw new Refusal(415, 'a request with Content-Type: application/json is expected')
  ctx.set('Cache-Control', 'no-store')
  const { admission, runCommand } = needs
  ctx.body = await admission.command(known.name, async () => {
    const { self, ifHash: _ifHash, ...asked } = await jsonOf(ctx)
    return admission.commandTurn(known.name, async () => {
      const account = await mustStillBe(needs, { account: known.name, token })
      const by = { account, address: ctx.ip, id: idOf(ctx) }
      // One of two that ask with the same token gets a new one: ifHash is looked at where it is written.
      const ownName = { name: account.name, ifHash: account.hash }
      return runCommand(name, self === true ? { ...asked, ...ownName } : asked, by)
    })
  })
}

/** The JSON object in the body. Throws a 400 for anything else, a 413 when it is too long, a 408 when it is slow. */
async function jsonOf(ctx: RequestContext): Promise<Record<string, unknown>> {
  const limits = { idleMs: BODY_MS, totalMs: BODY_MS, leastRate: 0 }
  const text = await withBodyClock(ctx.req, limits, (expired) => Promise.race([textOf(ctx), expired]))
  const value = parseJson(text)
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new Refusal(400, 'the request is not a JSON object')
  return value as Record<string, unknown>
}

async function textOf(ctx: RequestContext): Promise<string> {
  const pieces: Buffer[] = []
  let bytes = 0
  for await (const piece of ctx.req.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    if ((bytes += piece.length) > MOST_BYTES)
      throw new Refusal(413, `a request has at most ${MOST_BYTES} bytes`)
    pieces.push(piece)
  }
  return Buffer.concat(pieces).toString()
}
