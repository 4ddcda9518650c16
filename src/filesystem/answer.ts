// `plinth probe DIR --answer`: the other side of a probe. It is asked by lines of JSON on standard input, and touches
// nothing but the folder of that probe.

import { hostname } from 'node:os'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import { VERSION } from '../config.js'
import { messageOf } from '../errors.js'
import { systemCalls, type Calls } from './calls.js'
import { kindOf } from './kind.js'
import type { Hello } from './peer.js'
import { PROBE_FOLDER } from './probe.js'
import { LocalSide, type SideAnswer, type Request } from './side.js'

/** How long it waits for the next question. */
const ASKED_WITHIN_MS = 120_000
/** How long the folder of a probe that has just been made may be out of sight. */
const SEEN_WITHIN_MS = 3000
/** A path below the folder of the probe: nothing that leads out of it. */
const NAME = /^[a-z]+(?:-\d+)?(?:\/file)?$/

type Asked = Request | { do: 'open'; folder: string }

/** Whether a question is one of ours: it comes from outside of this process. */
function isAsked(value: unknown): value is Asked {
  const {
    do: what,
    folder,
    round = 0,
    times = 1,
    from = 0,
    names = [],
  } = (value ?? {}) as Record<string, unknown>
  const isCount = (n: unknown): boolean =>
    Number.isSafeInteger(n) && (n as number) >= 0 && (n as number) < 1e9
  if (what === 'open') return typeof folder === 'string' && PROBE_FOLDER.test(folder)
  if (
    (what === 'look' || what === 'glance') &&
    !(Array.isArray(names) && names.every((name) => NAME.test(String(name))))
  )
    return false
  return (
    [
      'begin',
      'prepare',
      'change',
      'race',
      'look',
      'glance',
      'list',
      'lock',
      'unlock',
      'replace',
      'read',
    ].includes(String(what)) && [round, times, from].every(isCount)
  )
}

/**
 * Answers on `say`, a line at a time, what is asked on `input` about the folder `dir` (absolute), until that ends.
 * Resolves with the exit code. When whoever asks has died it removes the folder of the probe.
 */
export async function answerQuestions(
  dir: string,
  input: Readable,
  say: (line: string) => void,
  calls: Calls = systemCalls,
): Promise<number> {
  const hello: Hello = {
    plinth: 'probe',
    version: VERSION,
    host: hostname(),
    pid: process.pid,
    fileSystem: kindOf(dir).name,
  }
  say(JSON.stringify(hello))
  let side: LocalSide | undefined
  let folder: string | undefined
  let code = 0
  const tooLate = setTimeout(() => input.destroy(), ASKED_WITHIN_MS)
  try {
    for await (const line of createInterface({ input })) {
      tooLate.refresh()
      let asked: unknown
      try {
        asked = JSON.parse(line)
      } catch {
        // no question of ours
      }
      if (!isAsked(asked)) {
        say(
          JSON.stringify({ error: 'it does not know this question: both sides must be of the same version' }),
        )
        code = 1
        continue
      }
      if (asked.do === 'open') {
        folder = join(dir, asked.folder)
        const isSeen = await comesIntoSight(folder, calls)
        if (isSeen) side = new LocalSide(folder, calls, 'other')
        say(JSON.stringify(isSeen ? {} : { error: `it does not see ${folder}: is ${dir} the same folder?` }))
        continue
      }
      say(JSON.stringify(await answerOf(side, asked)))
    }
  } finally {
    clearTimeout(tooLate)
    side?.end()
    if (folder !== undefined)
      await rm(folder, { recursive: true, force: true, maxRetries: 3 }).catch(() => {})
  }
  return code
}

/** Whether the folder is there, now or a little later. */
async function comesIntoSight(folder: string, calls: Calls): Promise<boolean> {
  for (const begun = performance.now(); performance.now() - begun < SEEN_WITHIN_MS;) {
    const isThere = await calls.status(folder).then(
      ({ isFolder }) => isFolder,
      () => false,
    )
    if (isThere) return true
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  return false
}

async function answerOf(
  side: LocalSide | undefined,
  asked: Request,
): Promise<SideAnswer | { error: string }> {
  if (!side) return { error: 'it was not told the folder of the probe' }
  try {
    return await side.ask(asked)
  } catch (error) {
    return { error: messageOf(error) }
  }
}
