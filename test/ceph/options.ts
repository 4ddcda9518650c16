// The arguments of `npm run test:cluster`.

import { parseArgs } from 'node:util'
import { quote } from '../../src/errors.js'

/** A problem with the arguments or with this machine, for the person who typed them. */
export class UsageError extends Error {}

export type Options = {
  help: boolean
  /** How often each fault is made. */
  rounds: number
  /** How many versions are published on one machine and read on the other. */
  publishes: number
  /** The checks, faults and figures that are asked for; all when it is empty. */
  only: readonly string[]
  /** Further settings of Ceph, as `mds_tick_interval=1`. */
  ceph: readonly string[]
  /** Whether a time that is too long fails the run. Without it times are told and not judged. */
  strict: boolean
  /** Whether the folder with all logs is left behind. */
  keep: boolean
}

const OPTIONS = {
  rounds: { type: 'string', default: '2' },
  publishes: { type: 'string', default: '1000' },
  only: { type: 'string', multiple: true, default: [] as string[] },
  ceph: { type: 'string', multiple: true, default: [] as string[] },
  strict: { type: 'boolean', default: false },
  keep: { type: 'boolean', default: false },
  help: { type: 'boolean', short: 'h', default: false },
} as const

function count(name: string, text: string, most: number): number {
  const value = /^\d{1,6}$/.test(text) ? Number(text) : NaN
  if (value >= 1 && value <= most) return value
  throw new UsageError(`--${name} ${quote(text)}: a whole number from 1 to ${most} is expected`)
}

/** Throws a {@link UsageError}. `known` are the names that `--only` takes. */
export function readOptions(args: readonly string[], known: readonly string[]): Options {
  let values
  try {
    values = parseArgs({ args: [...args], options: OPTIONS }).values
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error))
  }
  const unknown = values.only.find((name) => !known.includes(name))
  if (unknown !== undefined)
    throw new UsageError(`--only ${quote(unknown)}: one of ${known.join(', ')} is expected`)
  const odd = values.ceph.find((setting) => !/^[a-z_]+=[^\n]*$/.test(setting))
  if (odd !== undefined) throw new UsageError(`--ceph ${quote(odd)}: NAME=VALUE is expected`)
  return {
    ceph: values.ceph,
    help: values.help,
    rounds: count('rounds', values.rounds, 1000),
    publishes: count('publishes', values.publishes, 100_000),
    only: values.only,
    strict: values.strict,
    keep: values.keep,
  }
}
