// The log: one JSON object a line on standard output, in visible characters. It never holds a token or an Authorization
// header: callers pass named fields, never headers.

import { visible } from './errors.js'

/** The fields of one line. An `undefined` one is left out. */
export type LogFields = Record<string, string | number | boolean | undefined>

export type Log = (level: 'info' | 'warn' | 'error', event: string, fields?: LogFields) => void

/** The longest text of a field. Clients choose paths and names: one request must not fill the disk. */
const MAX_CHARS = 256
/** The longest text of a field that this code writes: it holds several values, each of them cut. */
const MAX_OWN_CHARS = 4096
const OWN_FIELDS = ['reason', 'stack']

const cut = ([name, value]: [string, LogFields[string]]): [string, LogFields[string]] => {
  const most = OWN_FIELDS.includes(name) ? MAX_OWN_CHARS : MAX_CHARS
  return [name, typeof value === 'string' && value.length > most ? `${value.slice(0, most)}…` : value]
}

/** A log that writes through `write`, one line a call. Long texts are cut. */
export const makeLog =
  (write: (line: string) => void): Log =>
  (level, event, fields = {}) => {
    const shown = Object.fromEntries(Object.entries(fields).map(cut))
    write(`${visible(JSON.stringify({ time: new Date().toISOString(), level, event, ...shown }))}\n`)
  }
