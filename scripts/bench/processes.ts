// What the kernel tells of processes, and what it can be asked to do with them. Where it cannot, rows go without.

import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'

/** Peak resident memory of a process since {@link forgetPeak}, in MB; `undefined` where the system does not tell. */
function peakMb(pid: number): number | undefined {
  try {
    const kB = /VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]
    return kB === undefined ? undefined : Number(kB) / 1024
  } catch {
    return undefined
  }
}

/** Resident memory of a process now, in MB. */
export function residentMb(pid: number): number | undefined {
  try {
    const kB = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]
    return kB === undefined ? undefined : Number(kB) / 1024
  } catch {
    return undefined
  }
}

/** Makes the kernel count a process's peak anew (proc(5), clear_refs). */
export function forgetPeak(pid: number): void {
  try {
    writeFileSync(`/proc/${pid}/clear_refs`, '5')
  } catch {
    // the peak is then that of an earlier row, too
  }
}

/** The field of a row that says it, where it is known. */
export const peakOf = (pid: number): { peakMb?: number } => {
  const peak = peakMb(pid)
  return peak === undefined ? {} : { peakMb: peak }
}

const canPin = ((): boolean => {
  try {
    execFileSync('taskset', ['-p', String(process.pid)], { stdio: 'ignore' })
    return availableParallelism() > 1
  } catch {
    return false
  }
})()

/** Keeps a process with its children on one processor, where there is more than one. */
export function pin(pid: number, processor: number): void {
  if (!canPin) return
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean)
  for (const one of [String(pid), ...children])
    execFileSync('taskset', ['-a', '-c', '-p', String(processor), one], { stdio: 'ignore' })
}

/** The command line that runs a program on one processor. */
export const pinned = (processor: number, program: string, args: string[]): [string, string[]] =>
  canPin ? ['taskset', ['-c', String(processor), program, ...args]] : [program, args]

/** Seconds of processor time that the children of a process have used; NaN where the system does not tell. */
export function childrenSeconds(pid: number): number {
  try {
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean)
    return children.reduce(
      (sum, child) => sum + Number(readFileSync(`/proc/${child}/schedstat`, 'utf8').split(' ')[0]) / 1e9,
      0,
    )
  } catch {
    return NaN
  }
}
