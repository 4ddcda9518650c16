// A program that exchanges a folder of the inbox for links as fast as it can: a test starts it as a process of its own.
//
// `node dropper.js FOLDER NAMES TARGET…`: the thing `bad` in FOLDER is by turns a folder with files of these NAMES
// (joined by commas) and a link to each TARGET, for a moment each, until the program is ended or its
// standard input is.

import { existsSync, mkdirSync, renameSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const ROUNDS_AT_ONCE = 50
/** The longest moment in ms: longer than what the service takes for one file, so that it takes some. */
const MOMENT_MS = 10

const [folder = '', names = '', ...targets] = process.argv.slice(2)
const bad = join(folder, 'bad')
// The service leaves names alone that begin with a dot.
const real = join(folder, '.real')
const linkTo = (target: string): string => join(folder, `.link${targets.indexOf(target)}`)

/** Makes again what the service has moved away. */
function prepare(): void {
  mkdirSync(real, { recursive: true })
  for (const name of names.split(','))
    if (!existsSync(join(real, name))) writeFileSync(join(real, name), 'dropped')
  for (const target of targets)
    if (!existsSync(linkTo(target))) {
      try {
        symlinkSync(target, linkTo(target))
      } catch {
        // it is there, and leads to where this user may not look
      }
    }
}

/** Neither sleeps nor yields: a timer would take longer. */
function forAMoment(): void {
  const end = performance.now() + Math.random() * MOMENT_MS
  while (performance.now() < end);
}

function exchange(): void {
  for (let round = 0; round < ROUNDS_AT_ONCE; round++)
    for (const from of [real, linkTo(targets[round % targets.length] ?? '')]) {
      renameSync(from, bad)
      forAMoment()
      renameSync(bad, from)
    }
}

// A test that is killed ends nothing: its end of the pipe is closed by the system.
process.stdin.on('end', () => process.exit()).resume()

function storm(): void {
  prepare()
  try {
    exchange()
  } catch {
    // the service has moved what had the name `bad`
  }
  setImmediate(storm)
}

storm()
