// The arguments of `npm run soak`.

import { parseArgs } from 'node:util'
import { quote } from '../../src/errors.js'

/** What is asked for: an hour's mix, or attacks one after the other. */
export type Wish =
  | { kind: 'help' }
  | { kind: 'mix'; minutes: number }
  | { kind: 'attacks'; names: readonly string[]; seconds: number }

/** A problem with the arguments, for the person who typed them. */
export class UsageError extends Error {}

const OPTIONS = {
  minutes: { type: 'string' },
  attacks: { type: 'boolean', default: false },
  attack: { type: 'string', multiple: true },
  seconds: { type: 'string' },
  help: { type: 'boolean', short: 'h', default: false },
} as const

const USUAL_MINUTES = 60
const USUAL_SECONDS = 60
/** A week and an hour: more is a slip of the keyboard. */
const MOST_MINUTES = 10_080
const MOST_SECONDS = 3600

function amount(name: string, text: string | undefined, usual: number, most: number): number {
  if (text === undefined) return usual
  const value = /^\d{1,6}(?:\.\d{1,3})?$/.test(text) ? Number(text) : NaN
  if (value > 0 && value <= most) return value
  throw new UsageError(`--${name} ${quote(text)}: a number above 0 and up to ${most} is expected`)
}

/** Throws a {@link UsageError}. `known` are the names of all attacks. */
export function readArguments(args: readonly string[], known: readonly string[]): Wish {
  let values
  try {
    values = parseArgs({ args: [...args], options: OPTIONS }).values
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error))
  }
  const { attack = [], attacks, help, minutes, seconds } = values
  if (help) return { kind: 'help' }
  const unknown = attack.find((name) => !known.includes(name))
  if (unknown !== undefined) throw new UsageError(`there is no attack ${quote(unknown)}`)
  if (!attacks && attack.length === 0) {
    if (seconds !== undefined) throw new UsageError('--seconds goes with --attacks or --attack')
    return { kind: 'mix', minutes: amount('minutes', minutes, USUAL_MINUTES, MOST_MINUTES) }
  }
  if (minutes !== undefined)
    throw new UsageError('--minutes is of the mix: it does not go with --attacks or --attack')
  const names = attack.length > 0 ? known.filter((name) => attack.includes(name)) : known
  return { kind: 'attacks', names, seconds: amount('seconds', seconds, USUAL_SECONDS, MOST_SECONDS) }
}
