// A clock that a test moves, for the processes that it starts: libfaketime answers them in the place of the kernel when
// they ask what time it is. The monotonic clock and the times of files stay those of the machine, as when its clock is
// moved in earnest.

import { execFileSync } from 'node:child_process'
import { renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { needs } from './programs.js'
import { tempFolder } from './temp-folder.js'

/** The environment of processes that go by the clock, and what moves it to so many seconds from the right time. */
export type MovableClock = { env: Record<string, string>; moveTo: (seconds: number) => void }

/** A clock that is right; a string says why there is none. */
export function movableClock(): MovableClock | string {
  const { skip } = needs('faketime')
  if (skip !== undefined) return skip
  const file = join(tempFolder(), 'clock') // nginx's workers read it, too
  const moveTo = (seconds: number): void => {
    writeFileSync(`${file}.new`, `${seconds < 0 ? '' : '+'}${seconds}s\n`)
    renameSync(`${file}.new`, file)
  }
  moveTo(0)
  const library = execFileSync('faketime', ['-f', '+0s', 'printenv', 'LD_PRELOAD'], { encoding: 'utf8' })
  return {
    env: {
      LD_PRELOAD: library.trim(),
      FAKETIME_TIMESTAMP_FILE: file,
      FAKETIME_NO_CACHE: '1', // a move counts at once
      FAKETIME_DONT_FAKE_MONOTONIC: '1',
      NO_FAKE_STAT: '1',
    },
    moveTo,
  }
}
