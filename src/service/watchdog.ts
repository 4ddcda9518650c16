// Tells the service manager that nginx and the service answer, while they do. One that runs and does not answer is
// ended, so that it is started again, and the other goes on. When that does not help, the service manager hears
// nothing, and starts everything anew.

import { complain } from './terminal.js'
import type { ServiceManager } from './service-manager.js'

/** What is watched. One that does not run is not hung: the supervisor starts it again. */
export type Watched = {
  name: string
  /** Resolves whether it answers within `ms`, or does not run. */
  answers: (ms: number) => Promise<boolean>
  /** Ends it at once. */
  kill: () => void
}

/** In the time after which the service manager gives up, so many looks are made. */
const LOOKS = 6
/** After so many looks in vain, one after the other, what does not answer is ended. */
const MOST_MISSES = 3

/** Looks from now on, until the returned function is called. Does nothing when nobody wants to hear of it. */
export function startWatchdog(manager: ServiceManager, watched: readonly Watched[]): () => void {
  if (manager.watchdogMs === undefined) return () => {}
  const everyMs = manager.watchdogMs / LOOKS
  const misses = new Map<Watched, number>()

  async function look(one: Watched): Promise<boolean> {
    if (await one.answers(everyMs / 2)) return misses.delete(one) || true
    const missed = (misses.get(one) ?? 0) + 1
    misses.set(one, missed)
    if (missed % MOST_MISSES === 0) {
      complain(`${one.name} has not answered for ${Math.round((missed * everyMs) / 1000)} s, and is ended`)
      one.kill()
    }
    return false
  }

  let timer: NodeJS.Timeout | undefined
  let over = false
  async function lookAtAll(): Promise<void> {
    const next = performance.now() + everyMs // however long one takes not to answer
    const answers = await Promise.all(watched.map(look))
    if (over) return
    if (answers.every(Boolean)) await manager.alive()
    if (!over) timer = setTimeout(() => void lookAtAll(), Math.max(0, next - performance.now()))
  }
  void lookAtAll()
  return () => {
    over = true
    clearTimeout(timer)
  }
}
