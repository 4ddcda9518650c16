// The mix: good clients all the time, and two attacks at a time beside them. What everything uses at the end is
// compared with what it used after the first minute.

import { ATTACKS } from './attacks/table.js'
import { attackUntil } from './attacking.js'
import { GoodClients } from './good-clients.js'
import { pause } from './raw-request.js'
import { settled } from './settled.js'
import { startSoaked, type Soaked } from './soaked-plinth.js'
import type { Attack } from './target.js'
import {
  judgeLeft,
  judgeMemory,
  judgePeak,
  judgeServed,
  metText,
  PEAK_OF_MIX_MB,
  sampleText,
  type Met,
  type Sample,
  type Verdict,
} from './verdict.js'

const MINUTE_MS = 60_000
const LANES = 2
/** An attack takes this long before another takes its place. */
const SLICE_MS = 20_000
/** Good clients alone, before memory is compared. */
const CALM_MS = 10_000

type Say = (line: string) => void

/** Names of the attacks that run at the moment. */
type Running = Set<string>

/** Runs for `minutes`. Throws when it could not be run. */
export async function runMix(minutes: number, say: Say, signal: AbortSignal): Promise<Verdict> {
  const begun = performance.now()
  const total = minutes * MINUTE_MS
  const plinth = await startSoaked()
  try {
    const clients = new GoodClients(plinth)
    await clients.prepare()
    for (const attack of ATTACKS) await attack.prepare?.(plinth.target())
    const broken = new Set<string>()
    const mix = new Mix(plinth, clients, say, broken)

    const first = Math.min(MINUTE_MS, total / 4)
    clients.work(true)
    const telling = mix.tellEachMinute(begun, minutes)
    for (const attack of [...ATTACKS].sort((a, b) => Number(b.kills ?? 0) - Number(a.kills ?? 0)))
      await mix.attack(attack, () => pause(first / ATTACKS.length, signal))
    const pid = plinth.servicePid()
    const before = await mix.calm(Math.min(CALM_MS, total / 8), signal)
    say(`after the first minute: ${sampleText(before)}`)

    plinth.forgetPeaks()
    // Two floods of hundreds of accounts may leave an upload no slot: it is told to come again, and does.
    clients.work(true)
    const end = performance.now() + total - 2 * first // a busy machine takes longer for the first minute
    await Promise.all(Array.from({ length: LANES }, (_, lane) => mix.attackUntil(end, lane, signal)))
    const after = await mix.calm(Math.min(CALM_MS, total / 8), signal)
    clearInterval(telling)
    mix.judgeMinute()
    say(`at the end: ${sampleText(after)}`)

    if (!plinth.isRunning()) broken.add('npm start ended')
    else if (plinth.servicePid() !== pid) broken.add('the service ended')
    for (const text of [...judgeLeft(before, after), ...judgeMemory(before, after)]) broken.add(text)
    for (const text of judgePeak(after.service.peakMb, PEAK_OF_MIX_MB)) broken.add(text)
    for (const text of await clients.lost()) broken.add(text)
    const seen = plinth.log.take()
    for (const attack of ATTACKS)
      for (const text of attack.check?.(plinth.target(), seen) ?? []) broken.add(text)
    return { broken: [...broken], unjudged: [] }
  } finally {
    await plinth.stop()
  }
}

class Mix {
  readonly #plinth: Soaked
  readonly #clients: GoodClients
  readonly #say: Say
  /** Broken promises so far. */
  readonly #broken: Set<string>
  readonly #running: Running = new Set()

  constructor(plinth: Soaked, clients: GoodClients, say: Say, broken: Set<string>) {
    this.#plinth = plinth
    this.#clients = clients
    this.#say = say
    this.#broken = broken
  }

  /** Runs one attack until `over` does. */
  async attack(attack: Attack, over: () => Promise<void>, lane = 0): Promise<void> {
    this.#running.add(attack.name)
    await attackUntil(attack, this.#plinth.target(lane), over)
    this.#running.delete(attack.name)
  }

  /**
   * One attack after the other until the time `end`; each lane begins elsewhere in the table. The service is not killed
   * here: a new process would hide what the old one leaked.
   */
  async attackUntil(end: number, lane: number, signal: AbortSignal): Promise<void> {
    const attacks = ATTACKS.filter(({ kills }) => !kills)
    // the lanes go at different steps: in time every attack meets every other
    for (
      let n = lane * 3;
      this.#plinth.isRunning() && !signal.aborted && performance.now() < end;
      n += lane === 0 ? 1 : 3
    ) {
      const attack = attacks[n % attacks.length]
      const left = Math.min(SLICE_MS, end - performance.now())
      if (attack && !this.#running.has(attack.name))
        await this.attack(attack, () => pause(left, signal), lane)
      else await pause(Math.min(left, 1000), signal)
    }
  }

  /** What everything uses after good clients were alone for `ms`, and rest. */
  async calm(ms: number, signal: AbortSignal): Promise<Sample> {
    await pause(ms, signal)
    await this.#clients.rest()
    return settled(this.#plinth)
  }

  /** A line each minute. */
  tellEachMinute(begun: number, minutes: number): NodeJS.Timeout {
    return setInterval(() => {
      const at = Math.round((performance.now() - begun) / MINUTE_MS)
      this.#say(`${at}/${minutes} min: ${this.judgeMinute()}; ${sampleText(this.#plinth.sample())}`)
      this.#say(`  attacks: ${[...this.#running].join(', ') || 'none'}`)
    }, MINUTE_MS)
  }

  /** Judges what good clients met since the last time. Returns it in words. */
  judgeMinute(): string {
    this.#plinth.log.look()
    const met: Met = this.#clients.take()
    for (const text of judgeServed(met)) this.#broken.add(`${text}: ${met.failures[0] ?? ''}`)
    return metText(met)
  }
}
