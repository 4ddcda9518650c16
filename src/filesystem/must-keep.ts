// What a start of the service looks at: that the file system of the data folder can hold what Plinth promises. It is
// probed when it is another one than at the start before, which costs some ms; else three small calls tell that it is
// the same.

import { readFileSync, renameSync, writeFileSync } from 'node:fs'
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { errno, messageOf, PLINTH, StartProblem } from '../errors.js'
import { folders } from '../layout.js'
import { runtimeFiles } from '../settings/runtime-files.js'
import { parseJson } from '../store/parse-json.js'
import { PROBE } from '../store/temps.js'
import { systemCalls, type Calls } from './calls.js'
import { identityOf, kindOf, notShared, type Kind } from './kind.js'
import { FIXED, REPEATED } from './local-checks.js'
import { breaksWithout, isWish, LOCAL_NEEDS, type LocalNeed } from './needs.js'
import { CannotProbe, checksOf, runCheck } from './run-check.js'

type Given = {
  /** Where this machine notes what was found: a mount has a number of its own on each. */
  runtime: string
  /** Whether services on several machines may take turns on the folder. */
  shared: boolean
  onWarning: (warning: string) => void
  calls?: Calls
}

/** What was found last. `lacks` are wishes. */
type Note = Kind & { lacks: LocalNeed[] }

/** What a file of the probe is called in the tree, for a moment. No location of nginx serves it. */
const PROBE_NAME = '.plinth-probe'

/** A service makes its sockets a moment later, and says what is wrong then. */
const NOT_AT_START: readonly LocalNeed[] = ['sockets']

/**
 * Throws a {@link StartProblem} that names the file system of the data folder `data` (absolute) and what it cannot
 * hold. The caller holds the folder's lock. Nothing that is in the folder is touched.
 */
export async function mustKeepPromises(data: string, given: Given): Promise<void> {
  const note = noteOf(data, given) ?? (await probed(data, given))
  const { name, lacks } = note
  const against = notShared(note)
  if (against !== undefined && given.shared)
    throw new StartProblem(
      `PLINTH_DATA=${data} is on ${name}, which several machines cannot share: ${against}`,
    )
  if (against !== undefined)
    given.onWarning(`the data folder is on ${name}: use it from one machine alone, ${against}`)
  for (const need of lacks)
    given.onWarning(`the data folder is on ${name}, without ${need}: ${breaksWithout(need)}`)
}

const notePath = (data: string, runtime: string): string => resolve(data, runtimeFiles(runtime).filesystem)

/** What is noted of the file system, when the folder is on the same one still. */
function noteOf(data: string, { runtime }: Given): Note | undefined {
  let text: string
  try {
    text = readFileSync(notePath(data, runtime), 'utf8')
  } catch {
    return undefined // it is read again when it is written
  }
  const note = parseJson(text) as Partial<Note> | undefined
  const { magic, device } = identityOf(data)
  const isSame = note?.magic === magic && note.device === device && typeof note.name === 'string'
  if (!isSame || !Array.isArray(note.lacks)) return undefined
  return { name: note.name ?? '', magic, device, lacks: note.lacks.filter((need) => need in LOCAL_NEEDS) }
}

/** Probes, and notes the result. Nothing when it cannot be probed at the moment, on a full disk for example. */
async function probed(data: string, { runtime, onWarning, calls = systemCalls }: Given): Promise<Note> {
  const kind = kindOf(data)
  try {
    const note = { ...kind, lacks: await lacksOf(data, kind, calls) }
    keep(notePath(data, runtime), note)
    return note
  } catch (error) {
    if (error instanceof StartProblem || !(error instanceof CannotProbe || errno(error) !== undefined))
      throw error
    onWarning(`the file system of the data folder, ${kind.name}, was not probed: ${messageOf(error)}`)
    return { ...kind, lacks: [] }
  }
}

/** The wishes that the file system does not fulfil. Throws a {@link StartProblem} for anything that is no wish. */
async function lacksOf(data: string, { name }: Kind, calls: Calls): Promise<LocalNeed[]> {
  const refuse = (found: string, breaks: string): never => {
    throw new StartProblem(
      `PLINTH_DATA=${data} is on ${name}, which cannot hold what plinth promises: ${found}, so ${breaks}; ` +
        `"${PLINTH} probe ${data}" tells more`,
    )
  }
  const lacks: LocalNeed[] = []
  await mkdir(join(data, folders.tmp), { recursive: true, mode: 0o700 })
  const folder = await mkdtemp(join(data, folders.tmp, PROBE)) // swept with the others when the process dies
  try {
    for (const [need, check] of checksOf({ ...REPEATED, ...FIXED })) {
      if (NOT_AT_START.includes(need)) continue
      const found = await runCheck(calls, check, join(folder, need))
      if (found !== undefined && !isWish(need)) refuse(found, breaksWithout(need))
      if (found !== undefined) lacks.push(need)
    }
    const apart = await areApart(calls, folder, join(data, folders.tree))
    if (apart !== undefined)
      refuse(`${folders.tree}/ cannot link to state/ (${apart})`, 'nothing could be published')
    return lacks
  } finally {
    await rm(folder, { recursive: true, force: true, maxRetries: 3 })
  }
}

/** Why a file in `folder` cannot get a name in `tree`: another file system may be mounted there. */
async function areApart(calls: Calls, folder: string, tree: string): Promise<string | undefined> {
  const [file, name] = [join(folder, 'linked'), join(tree, PROBE_NAME)]
  await mkdir(tree, { recursive: true })
  await rm(name, { force: true }) // of a process that died just here
  await calls.writeText(file, '', 'wx')
  try {
    await calls.link(file, name)
    return undefined
  } catch (error) {
    const code = errno(error)
    if (code === 'EXDEV') return code
    throw error
  } finally {
    await rm(name, { force: true })
  }
}

// It is no part of what the folder holds: after a power cut it may be made again.
function keep(path: string, note: Note): void {
  writeFileSync(`${path}.new`, `${JSON.stringify(note)}\n`, { mode: 0o600 })
  renameSync(`${path}.new`, path)
}
