// Attackers on the machine itself: one who may write to a folder of the inbox, and one who kills the service.

import {
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { folders } from '../../../src/layout.js'
import { servicePid } from '../processes.js'
import { pause } from '../raw-request.js'
import type { Attack, Target } from '../target.js'

/** Files that nobody may move or remove. The dropper drops files of the same names. */
const VICTIMS = 200
const victim = (n: number): string => `victim${n}.json`
const victimText = (n: number): string => `{"victim":${n}}\n`

/** In the service's folders. The inbox takes what is in the wrong place to inbox/rejected. */
const victims = ({ data }: Target): string => join(data, 'state', 'victims')

/** How long the service may take to begin with what was dropped. */
const TAKEN_MS = 10_000

function dropAll(folder: string): void {
  mkdirSync(folder, { recursive: true })
  for (let n = 0; n < VICTIMS; n++) writeFileSync(join(folder, victim(n)), 'dropped')
}

// The service lists the dropped files, then takes one after the other. Between the two a link takes the folder's place.
async function swapOnce({ data }: Target, round: number, signal: AbortSignal): Promise<void> {
  const inbox = join(data, folders.inbox, 'team')
  const folder = join(inbox, round % 2 === 0 ? 'go' : 'generic', `round${round}`)
  dropAll(folder)
  const first = (): boolean =>
    Array.from({ length: VICTIMS }, (_, n) => n).some((n) => !existsSync(join(folder, victim(n))))
  const end = performance.now() + TAKEN_MS
  while (!signal.aborted && performance.now() < end && !first()) await pause(1, signal)
  const aside = join(inbox, `.aside${round}`)
  try {
    renameSync(folder, aside)
    symlinkSync('../../../state/victims', folder)
  } catch {
    // the service was faster
  }
  await pause(300, signal)
  for (const path of [folder, aside]) if (!removeLink(path)) rmSync(path, { recursive: true, force: true })
  rmSync(join(data, folders.rejected, 'team'), { recursive: true, force: true })
}

function removeLink(path: string): boolean {
  try {
    unlinkSync(path)
    return true
  } catch {
    return false
  }
}

const inboxLinks: Attack = {
  name: 'inbox-links',
  what: 'a dropper that puts a link to a folder of the service in the place of a folder of the inbox',
  prepare: (target) => {
    mkdirSync(victims(target), { recursive: true })
    for (let n = 0; n < VICTIMS; n++) writeFileSync(join(victims(target), victim(n)), victimText(n))
  },
  run: async (target, signal) => {
    for (let round = 0; !signal.aborted; round++) await swapOnce(target, round, signal)
  },
  check: (target) => {
    const isWhole = (n: number): boolean => {
      const path = join(victims(target), victim(n))
      return existsSync(path) && readFileSync(path, 'utf8') === victimText(n)
    }
    const lost = Array.from({ length: VICTIMS }, (_, n) => n).filter((n) => !isWhole(n))
    return lost.length > 0 ? [`the inbox moved or removed ${lost.length} files outside of it`] : []
  },
}

/** How long a service lives that the attack has killed before. */
const LIFE_MS = 400

const killedService: Attack = {
  name: 'killed-service',
  what: 'kill -9 of the service as soon as it runs again',
  kills: true,
  run: async ({ startPid }, signal) => {
    while (!signal.aborted) {
      const pid = servicePid(startPid)
      await pause(pid === undefined ? 20 : LIFE_MS, signal)
      if (pid === undefined || signal.aborted) continue
      try {
        process.kill(pid, 'SIGKILL')
      } catch {
        // it has ended by itself
      }
      while (!signal.aborted && servicePid(startPid) === pid) await pause(5, signal)
    }
  },
}

export const machine: readonly Attack[] = [inboxLinks, killedService]
