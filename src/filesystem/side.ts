// One of the two sides of a probe: a process, here or on another machine, that changes files and looks at what the
// other one has changed. Each request says which round it is of, and both sides know what every file has in it.

import { join } from 'node:path'
import { errno } from '../errors.js'
import type { Calls, HeldLock } from './calls.js'

/** What both sides know of a round; of another length in each, so that a stale size shows. */
export const textOf = (round: number): string => `round ${round}${'.'.repeat((round * 5) % 7)}\n`
/** Text of the same length in every round. */
export const fixedTextOf = (round: number): string => `${String(round).padStart(9, '0')}\n`
// 3 → 'round 0\nround 1\nround 2\nround 3\n'
export const grownTextOf = (round: number): string =>
  Array.from({ length: round + 1 }, (_, at) => textOf(at)).join('')
/** The time that a file of the round has, in ms. */
export const timeOf = (round: number): number => 1_500_000_000_000 + round * 1000

/** Lines that are all the same; another number of them for each `n`, so that a wrong size shows. */
const wholeTextOf = (n: number): string => `${n}\n`.repeat(500 + ((n * 37) % 400))

/** A file as a side sees it, by stat(2) and by reading it: what it has, or the code of the error. */
export type Sight = { stat: { size: number; mtimeMs: number } | string; read: { text: string } | string }

export type Request =
  /** Makes what all rounds change. */
  | { do: 'begin' }
  /** Makes what the round will take away. */
  | { do: 'prepare' | 'change' | 'race'; round: number }
  | { do: 'look'; names: string[] }
  /** The same by stat(2) alone, so that it may be remembered. */
  | { do: 'glance'; names: string[] }
  | { do: 'list' }
  | { do: 'lock' | 'unlock' }
  /** Replaces a file `times` times, from its state `from` on, while the other side reads it. */
  | { do: 'replace'; times: number; from: number }
  | { do: 'read'; times: number }

export type SideAnswer = {
  sights?: Sight[]
  names?: string[]
  /** Of a race: whether this side was the one to make the file, by link(2) and by O_EXCL. */
  won?: { link: boolean; exclusive: boolean }
  lock?: HeldLock['outcome']
  reads?: { torn: number; missing: number; back: number }
}

/** A side that can be asked. */
export type Side = { ask: (request: Request) => Promise<SideAnswer> }

const wins = (call: Promise<void>): Promise<boolean> =>
  call.then(
    () => true,
    (error: unknown) => {
      if (errno(error) === 'EEXIST') return false
      throw error
    },
  )

/** What the call gives, or the code of its error. */
const codeOr = <T>(call: Promise<T>): Promise<T | string> =>
  call.catch((error: unknown) => {
    const code = errno(error)
    if (code === undefined) throw error
    return code
  })

/** A side in this process, which works in `folder` (absolute). */
export class LocalSide implements Side {
  readonly #folder: string
  readonly #calls: Calls
  /** Makes names of its own, where both sides need one. */
  readonly #name: string
  /** The lock that it holds. */
  #lock: HeldLock | undefined

  constructor(folder: string, calls: Calls, name: string) {
    this.#folder = folder
    this.#calls = calls
    this.#name = name
  }

  async ask(request: Request): Promise<SideAnswer> {
    switch (request.do) {
      case 'begin':
        return this.#begin()
      case 'prepare':
        return this.#prepare(request.round)
      case 'change':
        return this.#change(request.round)
      case 'race':
        return this.#race(request.round)
      case 'look':
        return { sights: await Promise.all(request.names.map((name) => this.#look(name))) }
      case 'glance':
        for (const name of request.names) await this.#stat(name)
        return {}
      case 'list':
        return { names: await this.#calls.names(this.#folder) }
      case 'lock':
        return this.#take()
      case 'unlock':
        this.end()
        return {}
      case 'replace':
        return this.#replace(request.times, request.from)
      case 'read':
        return { reads: await this.#read(request.times) }
    }
  }

  /** Lets go of the lock that it may hold. */
  end(): void {
    this.#lock?.release()
    this.#lock = undefined
  }

  readonly #at = (name: string): string => join(this.#folder, name)

  async #begin(): Promise<SideAnswer> {
    const [calls, at] = [this.#calls, this.#at]
    for (const folder of ['target-0', 'shown']) {
      await calls.makeFolder(at(folder))
      await calls.writeText(join(at(folder), 'file'), textOf(0), 'wx')
    }
    await calls.writeText(at('list'), textOf(0), 'wx')
    await calls.writeText(at('log'), textOf(0), 'wx')
    await calls.writeText(at('alive'), fixedTextOf(0), 'wx')
    await calls.writeText(at('whole'), wholeTextOf(0), 'wx')
    await calls.writeText(at('lock'), '', 'wx')
    await calls.symlink('target-0', at('latest'))
    await calls.syncFolder(this.#folder)
    return {}
  }

  async #prepare(round: number): Promise<SideAnswer> {
    const [calls, at] = [this.#calls, this.#at]
    await calls.writeText(at(`gone-${round}`), textOf(round), 'wx')
    await calls.symlink('shown', at(`public-${round}`))
    for (const folder of [`folder-${round}`, `target-${round}`]) {
      await calls.makeFolder(at(folder))
      await calls.writeText(join(at(folder), 'file'), textOf(round), 'wx')
    }
    return {}
  }

  /** What a publish, a delete and a change of an owner do. */
  async #change(round: number): Promise<SideAnswer> {
    const [calls, at] = [this.#calls, this.#at]
    await calls.stage(at(`staged-${round}`), textOf(round), timeOf(round))
    await calls.link(at(`staged-${round}`), at(`new-${round}`))
    await calls.unlink(at(`staged-${round}`))
    await calls.writeText(at(`list-${round}`), textOf(round), 'wx')
    await calls.rename(at(`list-${round}`), at('list'))
    await calls.symlink(`target-${round}`, at(`latest-${round}`))
    await calls.rename(at(`latest-${round}`), at('latest'))
    await calls.writeText(at('log'), textOf(round), 'a')
    await calls.writeText(at('alive'), fixedTextOf(round), 'r+')
    await calls.unlink(at(`gone-${round}`))
    await calls.unlink(at(`public-${round}`))
    await calls.rename(at(`folder-${round}`), at(`moved-${round}`))
    await calls.syncFolder(this.#folder)
    return {}
  }

  async #race(round: number): Promise<SideAnswer> {
    const [calls, at] = [this.#calls, this.#at]
    const mine = at(`mine-${this.#name}-${round}`)
    await calls.writeText(mine, this.#name, 'wx')
    const link = await wins(calls.link(mine, at(`won-${round}`)))
    const exclusive = await wins(calls.writeText(at(`made-${round}`), this.#name, 'wx'))
    await calls.unlink(mine)
    return { won: { link, exclusive } }
  }

  async #look(name: string): Promise<Sight> {
    const stat = await this.#stat(name)
    return { stat, read: await codeOr(this.#calls.readText(this.#at(name)).then((text) => ({ text }))) }
  }

  #stat(name: string): Promise<Sight['stat']> {
    return codeOr(this.#calls.status(this.#at(name)).then(({ size, mtimeMs }) => ({ size, mtimeMs })))
  }

  async #take(): Promise<SideAnswer> {
    const lock = await this.#calls.lock(this.#at('lock'))
    if (lock.outcome === 'locked' && !this.#lock) this.#lock = lock
    else lock.release()
    return { lock: lock.outcome }
  }

  async #replace(times: number, from: number): Promise<SideAnswer> {
    for (let n = from; n < from + times; n++) {
      await this.#calls.writeText(this.#at(`whole-${n}`), wholeTextOf(n), 'wx')
      await this.#calls.rename(this.#at(`whole-${n}`), this.#at('whole'))
    }
    return {}
  }

  async #read(times: number): Promise<{ torn: number; missing: number; back: number }> {
    const seen = { torn: 0, missing: 0, back: 0 }
    let before = 0
    for (let nth = 0; nth < times; nth++) {
      const { read } = await this.#look('whole')
      if (typeof read === 'string') {
        seen.missing++
        continue
      }
      const n = Number.parseInt(read.text, 10)
      if (Number.isNaN(n) || read.text !== wholeTextOf(n)) seen.torn++
      else if (n < before) seen.back++
      else before = n
    }
    return seen
  }
}
