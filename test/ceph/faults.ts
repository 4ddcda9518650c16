// What happens to machines, networks and the storage. Each fault says whose reads must go on, and how soon uploads must.

import { join } from 'node:path'
import { SESSION_SECONDS } from './ceph.js'
import type { Cluster } from './cluster.js'
import { NGINX, SERVICE, type Member } from './member.js'
import { askMachine } from './request.js'
import { pauseFor, untilWithin } from './within.js'

/** How long a machine that was shut out may go on running its service once it runs or hears again, in seconds. */
const FENCED_SECONDS = 30
/** Longer than a session, so that another machine has taken over when the fault ends. */
const PAST_SESSION_MS = (SESSION_SECONDS + 20) * 1000

/** What a fault is made with. `broken` hears of promises that were not kept; `took` gives the time of a takeover. */
export type Scene = {
  cluster: Cluster
  active: Member
  other: Member
  broken: (what: string) => void
  /** Resolves when an upload is acknowledged that was sent from now on. */
  untilAcknowledged: () => Promise<void>
}

export type Fault = {
  name: string
  what: string
  /** The machines whose reads must not fail: all, the one that was not active, or none. */
  reads: 'all' | 'other' | 'none'
  /** How long uploads may stop, in seconds. */
  goal: number
  make: (scene: Scene) => Promise<Made>
}

/** `at` is when it was made, on the clock of `performance`. `end` ends it and looks at what is left. */
type Made = { at: number; end: () => Promise<void> }

const now = (): number => performance.now()

const hung = async ({ address }: Member): Promise<boolean> => {
  try {
    return (await askMachine(address, '/-/health', { seconds: 2 })).status !== 200
  } catch {
    return true
  }
}

// A stranger to Plinth on the machine, which appends to a file of its own. What it appends after the takeover would be
// a write of a machine that was shut out.
async function startScribbling({ machine, data }: Member): Promise<string> {
  const file = join(data, `../scribble-${Date.now()}`)
  const loop = `while date +%s.%N >> ${file} && sync ${file}; do sleep 0.05; done`
  machine.spawn(['sh', '-c', loop], '/dev/null')
  await untilWithin(60, 'the machine writes', async () => (await machine.run('cat', file)).length > 0)
  return file
}

/** Lets a machine come back when another one has taken over, and looks whether it is and stays shut out. */
async function comeBack(scene: Scene, file: string, back: () => void): Promise<void> {
  const { active, other, broken, cluster, untilAcknowledged } = scene
  await pauseFor(PAST_SESSION_MS)
  await untilAcknowledged()
  const written = await other.machine.run('cat', file)
  back()
  await untilWithin(FENCED_SECONDS, 'the service has ended', () => !active.hasService).catch(() =>
    broken(`the service of ${active.name} has not ended ${FENCED_SECONDS} s after it came back`),
  )
  if (!(await hung(active))) broken(`/-/health of ${active.name} is 200, and its folder is gone`)
  if ((await other.machine.run('cat', file)) !== written) broken(`${active.name} wrote after the takeover`)
  if (!(await cluster.ceph.shutOut()).includes(active.machine.addressIn('store')))
    broken(`Ceph has not shut ${active.name} out`)
  await active.restart()
}

export const FAULTS: readonly Fault[] = [
  {
    name: 'kill-service',
    what: 'kill -9 of the active service',
    reads: 'all',
    goal: 2,
    make: async ({ active }) => {
      const at = now()
      active.machine.signal('SIGKILL', SERVICE)
      return { at, end: () => active.untilServing() }
    },
  },
  {
    name: 'kill-nginx',
    what: "kill -9 of the active machine's nginx, its workers too",
    reads: 'other',
    goal: 2,
    make: async ({ active }) => {
      const at = now()
      active.machine.signal('SIGKILL', NGINX)
      active.machine.signal('SIGKILL', /^nginx: /)
      return { at, end: () => active.untilServing() }
    },
  },
  {
    name: 'kill-machine',
    what: 'power off of the active machine',
    reads: 'other',
    goal: SESSION_SECONDS + 2,
    make: async ({ active, untilAcknowledged }) => {
      const at = now()
      await active.machine.powerOff()
      return {
        at,
        end: async () => {
          await untilAcknowledged()
          await active.start()
        },
      }
    },
  },
  {
    name: 'freeze-machine',
    what: `SIGSTOP of the whole active machine for ${PAST_SESSION_MS / 1000} s, then SIGCONT`,
    reads: 'other',
    goal: SESSION_SECONDS + 2,
    make: async (scene) => {
      const { active } = scene
      const file = await startScribbling(active)
      const at = now()
      active.machine.freeze()
      return { at, end: () => comeBack(scene, file, () => active.machine.thaw()) }
    },
  },
  {
    name: 'cut-storage',
    what: `the active machine cannot reach the storage for ${PAST_SESSION_MS / 1000} s, and is reached by all others`,
    reads: 'other',
    goal: SESSION_SECONDS + 2,
    make: async (scene) => {
      const { active } = scene
      const file = await startScribbling(active)
      const at = now()
      active.machine.cut('store')
      return { at, end: () => comeBack(scene, file, () => active.machine.join('store')) }
    },
  },
  {
    name: 'cut-peers',
    what: 'the machines cannot reach each other for 10 s; clients and the storage reach both',
    reads: 'all',
    goal: 2,
    make: async ({ cluster }) => {
      const at = now()
      for (const { machine } of cluster.members) machine.isolate(true)
      return {
        at,
        end: async () => {
          await pauseFor(10_000)
          for (const { machine } of cluster.members) machine.isolate(false)
          for (const member of cluster.members) await member.untilServing()
        },
      }
    },
  },
  {
    name: 'kill-metadata-server',
    what: 'kill -9 of the active metadata server',
    reads: 'none',
    goal: 60,
    make: async ({ cluster: { ceph }, untilAcknowledged }) => {
      const name = await ceph.activeMetadataServer()
      const at = now()
      await ceph.kill(name)
      return {
        at,
        end: async () => {
          await untilAcknowledged()
          ceph.startAgain(name)
          await ceph.untilWhole()
        },
      }
    },
  },
]
