// The programs that tests run: adds their folders to PATH, and skips a test whose program is missing.

import { execFileSync } from 'node:child_process'
import { delimiter } from 'node:path'

process.env['PATH'] = [process.env['PATH'], '/usr/sbin', '/usr/local/sbin', '/usr/local/go/bin'].join(
  delimiter,
)

const has = (program: string): boolean => {
  try {
    execFileSync('/bin/sh', ['-c', `command -v ${program}`], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

/** `{}` where all programs are there, else what makes tap skip a test and say why. */
export const needs = (...programs: string[]): { skip?: string } => {
  const missing = programs.filter((program) => !has(program))
  return missing.length === 0 ? {} : { skip: `NOT TESTED: ${missing.join(', ')} is not on this machine` }
}

/** The command lines of this machine's POSIX shells. */
export const posixShells = (): string[][] => [
  [has('dash') ? 'dash' : 'sh'],
  ...(has('bash') ? [['bash']] : []),
  ...(has('busybox') ? [['busybox', 'sh']] : []),
]
