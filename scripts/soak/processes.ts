// The processes of a Plinth, as /proc tells of them.

import { readdirSync, readFileSync, readlinkSync } from 'node:fs'

/** What a process uses. `peakMb` is the peak since it was forgotten. */
export type Usage = { mb: number; peakMb: number; descriptors: number; sockets: number; threads: number }

export const NOTHING: Usage = { mb: 0, peakMb: 0, descriptors: 0, sockets: 0, threads: 0 }

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return '' // the process has ended
  }
}

export const childrenOf = (pid: number): number[] =>
  read(`/proc/${pid}/task/${pid}/children`).split(' ').filter(Boolean).map(Number)

/** The service that `npm start` with this pid runs; `undefined` while there is none. */
export const servicePid = (startPid: number): number | undefined =>
  childrenOf(startPid).find((pid) => read(`/proc/${pid}/cmdline`).includes('/src/main.js'))

/** What a process uses now; `undefined` when it has ended. */
export function usageOf(pid: number): Usage | undefined {
  const status = read(`/proc/${pid}/status`)
  const field = (name: string): number =>
    Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(status)?.[1] ?? NaN)
  let descriptors: string[]
  try {
    descriptors = readdirSync(`/proc/${pid}/fd`)
  } catch {
    return undefined
  }
  if (status === '' || Number.isNaN(field('VmRSS'))) return undefined
  return {
    mb: field('VmRSS') / 1024,
    peakMb: field('VmHWM') / 1024,
    descriptors: descriptors.length,
    sockets: descriptors.filter((fd) => isSocket(`/proc/${pid}/fd/${fd}`)).length,
    threads: field('Threads'),
  }
}

function isSocket(path: string): boolean {
  try {
    return readlinkSync(path).startsWith('socket:')
  } catch {
    return false // closed meanwhile
  }
}

/** What several processes use together. */
export const together = (all: readonly Usage[]): Usage =>
  all.reduce(
    (sum, one) => ({
      mb: sum.mb + one.mb,
      peakMb: sum.peakMb + one.peakMb,
      descriptors: sum.descriptors + one.descriptors,
      sockets: sum.sockets + one.sockets,
      threads: sum.threads + one.threads,
    }),
    NOTHING,
  )
