// Parses a duration, such as 90d. Pure.

import { quote } from '../errors.js'
import { WrongUsage } from './command.js'

const MS = { h: 3_600_000, d: 86_400_000, w: 604_800_000 } as const
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
