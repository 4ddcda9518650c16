// What is promised, and whether it was kept. Pure.

import { quantile } from '../bench/row.js'
import type { Usage } from './processes.js'

/** What a Plinth uses at one moment. `freeSlots` is known when the slots were counted. */
export type Sample = {
  service: Usage
  /** nginx's workers together. */
  nginx: Usage
  /** The process of `npm start`. */
  start: Usage
  /** Entries of state/tmp and of state/journal. */
  temps: number
  entries: number
  freeSlots?: number
}

/** What good clients met: times in ms of the answers that came, and what was not answered as it should be. */
export type Met = {
  reads: number[]
  writes: number[]
  failedReads: number
  failedWrites: number
  /** Answers that said when to come again, to writes that were then repeated. */
  turnedAway: number
  /** What failed, the first of them. */
  failures: string[]
  /** How long the soak's own process stood still at most, in ms: nobody gets answers sooner. */
  stoodStill: number
}

/** Broken promises, and those that could not be judged. */
export type Verdict = { broken: string[]; unjudged: string[] }

/** A good client's small write is answered within this. */
const WRITE_MS = 1000
/** A machine that needs this long for a write without any attack is too busy to judge by. */
const BUSY_MS = 500
/** The service never has more memory than this, whatever one attack sends. */
const PEAK_MB = 200
/** The same for two attacks at a time, which may have hundreds of accounts each. */
export const PEAK_OF_MIX_MB = 350
/**
 * What a process may have more than before: node gives freed memory back when it likes, and each of the service's seven
 * checking threads has reached its size, up to 8 MB, only when zips of its kind have come.
 */
const MEMORY = { factor: 1.25, mb: 56 }
/** Checking threads come and go, each with a few descriptors. */
const DESCRIPTORS = 16
const THREADS = 6

const ms = (value: number): string => `${value.toFixed(0)} ms`
export const most = (numbers: readonly number[]): number => numbers.reduce((a, b) => Math.max(a, b), 0)

/** Whether good clients were served. */
export function judgeServed(met: Met): string[] {
  const broken: string[] = []
  const judge = (what: string, answered: number, failed: number): void => {
    if (failed > 0) broken.push(`${failed} of ${answered + failed} ${what} failed`)
    else if (answered === 0) broken.push(`none of the ${what} was answered`)
  }
  judge('reads', met.reads.length, met.failedReads)
  judge('writes', met.writes.length, met.failedWrites)
  return broken
}

/** Whether small writes were answered in time, beside `calm`, what was met without an attack. */
export function judgeTimes(met: Met, calm: Met): Verdict {
  const slowest = most(met.writes)
  if (slowest <= WRITE_MS) return { broken: [], unjudged: [] }
  const slow = met.writes.filter((time) => time > WRITE_MS).length
  const text = `${slow} of ${met.writes.length} writes took over ${ms(WRITE_MS)}, up to ${ms(slowest)}`
  const busy = Math.max(most(calm.writes), met.stoodStill)
  if (busy <= BUSY_MS) return { broken: [text], unjudged: [] }
  const why =
    most(calm.writes) > BUSY_MS
      ? `one took ${ms(most(calm.writes))} without the attack`
      : `the soak itself stood still for ${ms(met.stoodStill)}`
  return { broken: [], unjudged: [`${text}; ${why}: the machine is too busy to judge`] }
}

const grown = (what: string, from: number, to: number, limit: number, unit = ''): string[] =>
  to > limit ? [`${what}: ${from.toFixed(0)}${unit} before, ${to.toFixed(0)}${unit} after`] : []

const PROCESSES = ['service', 'nginx', 'start'] as const

/** Whether everything that was taken is given back: `after` is what `before` was. */
export function judgeLeft(before: Sample, after: Sample): string[] {
  const broken = PROCESSES.flatMap((name) => {
    const [from, to] = [before[name], after[name]]
    return [
      ...grown(`descriptors of ${name}`, from.descriptors, to.descriptors, from.descriptors + DESCRIPTORS),
      ...grown(`threads of ${name}`, from.threads, to.threads, from.threads + THREADS),
    ]
  })
  broken.push(...grown('entries of state/tmp', before.temps, after.temps, before.temps))
  broken.push(...grown('entries of state/journal', before.entries, after.entries, before.entries))
  if (before.freeSlots !== undefined && after.freeSlots !== undefined && after.freeSlots < before.freeSlots)
    broken.push(`free upload slots: ${before.freeSlots} before, ${after.freeSlots} after`)
  return broken
}

/** Whether memory is what it was. */
export const judgeMemory = (before: Sample, after: Sample): string[] =>
  PROCESSES.flatMap((name) => {
    const [from, to] = [before[name].mb, after[name].mb]
    return grown(`memory of ${name}`, from, to, from * MEMORY.factor + MEMORY.mb, ' MB')
  })

export const judgePeak = (peakMb: number, mostMb = PEAK_MB): string[] =>
  peakMb > mostMb ? [`the service's memory reached ${peakMb.toFixed(0)} MB, over ${mostMb} MB`] : []

/** '1,234 reads (p99 3 ms, max 40 ms), 340 writes (p50 4 ms, p99 9 ms, max 51 ms)' */
export function metText({ reads, writes, failedReads, failedWrites, turnedAway }: Met): string {
  const times = (all: readonly number[], shares: readonly number[]): string =>
    all.length === 0
      ? ''
      : ` (${shares.map((share) => `p${share * 100} ${ms(quantile(all, share))}`).join(', ')}, max ${ms(most(all))})`
  const failed = (count: number): string => (count > 0 ? `, ${count} FAILED` : '')
  return (
    `${reads.length} reads${times(reads, [0.99])}${failed(failedReads)}, ` +
    `${writes.length} writes${times(writes, [0.5, 0.99])}${failed(failedWrites)}` +
    (turnedAway > 0 ? `, ${turnedAway} times told to come again` : '')
  )
}

/** 'service 96 MB (peak 131), 41 descriptors, 9 sockets, 18 threads; nginx …' */
export function sampleText({ service, nginx, start, temps, entries, freeSlots }: Sample): string {
  const mb = (value: number): string => `${value.toFixed(0)} MB`
  return [
    `service ${mb(service.mb)} (peak ${mb(service.peakMb)}), ${service.descriptors} descriptors, ` +
      `${service.sockets} sockets, ${service.threads} threads`,
    `nginx ${mb(nginx.mb)}, ${nginx.descriptors} descriptors`,
    `start ${mb(start.mb)}, ${start.descriptors} descriptors`,
    `tmp ${temps}, journal ${entries}`,
    ...(freeSlots === undefined ? [] : [`${freeSlots} slots free`]),
  ].join('; ')
}

/** 0: every promise kept. 1: one was broken. 3: none, but one could not be judged. */
export const exitCode = ({ broken, unjudged }: Verdict): number =>
  broken.length > 0 ? 1 : unjudged.length > 0 ? 3 : 0
