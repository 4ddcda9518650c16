// One attack beside good clients, on a Plinth of its own: first without the attack, then with it, then what is left.

import { attackUntil } from './attacking.js'
import { GoodClients } from './good-clients.js'
import { pause } from './raw-request.js'
import { settled } from './settled.js'
import { startSoaked, type Soaked } from './soaked-plinth.js'
import type { Attack, Seen } from './target.js'
import {
  judgeLeft,
  judgePeak,
  judgeServed,
  judgeTimes,
  metText,
  sampleText,
  type Met,
  type Sample,
  type Verdict,
} from './verdict.js'

/** Good clients run without an attack for a quarter of its time, within these bounds. */
const calmSeconds = (seconds: number): number => Math.min(15, Math.max(2, seconds / 4))

export type Run = {
  attack: Attack
  seconds: number
  say: (line: string) => void
  /** Aborted when the user ends the soak. */
  signal: AbortSignal
}

/** Runs it and says what was found. Throws when it could not be run. */
export async function runAttack({ attack, seconds, say, signal }: Run): Promise<Verdict> {
  const plinth = await startSoaked()
  try {
    const clients = new GoodClients(plinth)
    await clients.prepare()
    const calm = await workFor(clients, pause(calmSeconds(seconds) * 1000, signal))
    say(`  without it: ${metText(calm)}`)
    const before = await settled(plinth)
    say(`  ${sampleText(before)}`)
    await attack.prepare?.(plinth.target())
    plinth.forgetPeaks()
    plinth.log.take()
    const broken: string[] = []
    const pid = plinth.servicePid()
    const watching = watchPeak(plinth)
    const time = (): Promise<void> => pause(seconds * 1000, signal)
    const over = attackUntil(attack, plinth.target(), time)
    const met = await workFor(clients, over, attack.kills)
    say(`  attacked:   ${metText(met)}`)
    for (const failure of met.failures) say(`    ${failure}`)
    broken.push(...judgeServed(met))
    const times: Verdict = attack.kills ? { broken: [], unjudged: [] } : judgeTimes(met, calm)
    broken.push(...times.broken)
    if (!attack.kills && plinth.servicePid() !== pid) broken.push('the service ended')
    const seen = plinth.log.take()
    if (plinth.isRunning()) broken.push(...(await judgeAfter(plinth, clients, before, say)))
    else broken.push('npm start ended')
    broken.push(...(attack.check?.(plinth.target(), seen) ?? []))
    const peakMb = watching.end() // what was received last may be checked last
    broken.push(...judgePeak(peakMb))
    say(`  peak ${peakMb.toFixed(0)} MB; ${logText(seen)}`)
    return { broken, unjudged: times.unjudged }
  } finally {
    await plinth.stop()
  }
}

/** Lets the clients work until `over` resolves. Resolves with what they met. */
async function workFor(clients: GoodClients, over: Promise<unknown>, patient = false): Promise<Met> {
  clients.take()
  clients.work(patient)
  await over
  await clients.rest()
  return clients.take()
}

/** Reads the log and the service's peak now and then, until `end` returns the peak. */
function watchPeak(plinth: Soaked) {
  let peakMb = 0
  const look = (): void => {
    plinth.log.look()
    peakMb = Math.max(peakMb, plinth.sample().service.peakMb)
  }
  const timer = setInterval(look, 1000)
  return {
    end: () => {
      clearInterval(timer)
      look()
      return peakMb
    },
  }
}

async function judgeAfter(
  plinth: Soaked,
  clients: GoodClients,
  before: Sample,
  say: (line: string) => void,
): Promise<string[]> {
  const after = await settled(plinth, before)
  say(`  afterwards: ${sampleText(after)}`)
  return [...judgeLeft(before, after), ...(await clients.lost())]
}

const logText = ({ logBytes, longestLine }: Seen): string =>
  `log ${(logBytes / 1e6).toFixed(1)} MB, its longest line ${longestLine} bytes`
