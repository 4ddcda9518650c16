// Names, sizes and times as pages show them. The same facts give the same text everywhere: no locale is asked.

import { visible } from '../errors.js'
import { markup, type Markup } from './html.js'

// 1234567 → 1,234,567
export const grouped = (count: number): string => String(count).replace(/\B(?=(?:\d{3})+$)/g, ',')

// (1, 'version') → 1 version, (1200, 'version') → 1,200 versions
export const counted = (count: number, what: string): string =>
  `${grouped(count)} ${what}${count === 1 ? '' : 's'}`

const UNITS = ['kB', 'MB', 'GB', 'TB'] as const

// 1234567 → 1.2 MB
function rounded(bytes: number): string {
  if (bytes < 1000) return `${bytes} B`
  let value = bytes / 1000
  let unit = 0
  // 999,999 bytes are 1.0 MB and not 1000 kB
  for (; value >= 999.5 && unit < UNITS.length - 1; unit++) value /= 1000
  return `${value < 9.95 ? value.toFixed(1) : value.toFixed(0)} ${UNITS[unit]}`
}

/** A number of bytes for people. Its title has the exact one. */
export const sizeOf = (bytes: number): Markup =>
  markup`<data value="${bytes}" title="${counted(bytes, 'byte')}">${rounded(bytes)}</data>`

/** The day of a time in UTC. Its title has the whole time. */
export const dayOf = (time: string): Markup =>
  markup`<time datetime="${time}" title="${time.replace('T', ' ').replace('Z', ' UTC')}">${time.slice(0, 10)}</time>`

/** A name with all that a browser hides made visible. A long one may break after each slash. */
export const nameOf = (name: string): Markup =>
  markup`${visible(name)
    .split('/')
    .map((element, at) => [at > 0 && markup`/<wbr>`, element])}`
