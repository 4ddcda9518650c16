// Parses a duration, such as 90d, or a time. Pure.

import { quote } from '../errors.js'
import { WrongUsage } from './command.js'

const MS = { m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 } as const
const MOST_DAYS = 36_500

// ('90d', Date.parse('2026-01-01')) → '2026-04-01T00:00:00.000Z'; ('never', …) → null
/** `now` is in ms. Throws {@link WrongUsage} for any other text. */
export function expiryAfter(text: string, now: number): string | null {
  if (text === 'never') return null
  const [, count, unit] = /^([1-9][0-9]{0,5})([hdw])$/.exec(text) ?? []
  const ms = Number(count) * (unit === 'h' || unit === 'd' || unit === 'w' ? MS[unit] : NaN)
  if (ms <= MOST_DAYS * MS.d) return new Date(now + ms).toISOString()
  throw new WrongUsage(
    `--expires ${quote(text)}: hours, days or weeks are expected, as 12h, 90d, 2w, or never`,
  )
}

/** ISO 8601: a date (UTC), or a date and a time; without a zone the time is that of this machine. */
const ISO = /^\d{4}-\d\d-\d\d(?:T\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:\d\d)?)?$/

// ('1h', Date.parse('2026-01-01T12:00Z')) → 11:00 in ms; ('2025-12-31T00:00Z', …) → that
/** The time that a duration before `now` began, or that is named, in ms. Throws {@link WrongUsage} for other texts. */
export function timeBefore(text: string, now: number): number {
  const [, count, unit] = /^([1-9][0-9]{0,5})([mhdw])$/.exec(text) ?? []
  if (unit === 'm' || unit === 'h' || unit === 'd' || unit === 'w') return now - Number(count) * MS[unit]
  const time = ISO.test(text) ? Date.parse(text) : NaN
  if (!Number.isNaN(time)) return time
  throw new WrongUsage(`--since ${quote(text)}: 30m, 12h, 2d, 2w or a time as 2026-01-31T12:00Z is expected`)
}
