// The log: one JSON object a line on standard output, in visible characters. It never holds a token or an Authorization
// header: callers pass named fields, never headers.

import { visible } from './errors.js'

/** The fields of one line. An `undefined` one is left out. */
export type LogFields = Record<string, string | number | boolean | undefined>

/** From the one that says most to the one that says least. */
export const LOG_LEVELS = ['debug', 'info', 'warn', 'error'] as const
export type LogLevel = (typeof LOG_LEVELS)[number]

export type Log = (level: LogLevel, event: string, fields?: LogFields) => void

/** The longest text of a field. Clients choose paths and names: one request must not fill the disk. */
const MAX_CHARS = 256
/** The longest text of a field that this code writes: it holds several values, each of them cut. */
const MAX_OWN_CHARS = 4096
const OWN_FIELDS = ['reason', 'stack']

const cut = ([name, value]: [string, LogFields[string]]): [string, LogFields[string]] => {
  const most = OWN_FIELDS.includes(name) ? MAX_OWN_CHARS : MAX_CHARS
  return [name, typeof value === 'string' && value.length > most ? `${value.slice(0, most)}…` : value]
}

/** The line of fields, with its newline and the present time before them. Long texts are cut. */
export const logLine = (fields: LogFields): string => {
  const shown = Object.fromEntries(Object.entries(fields).map(cut))
  return `${visible(JSON.stringify({ time: new Date().toISOString(), ...shown }))}\n`
}

/** A log that writes through `write`, one line a call. What is below the level `least` is not written. */
export const makeLog =
  (write: (line: string) => void, least: LogLevel = 'info'): Log =>
  (level, event, fields) => {
    if (LOG_LEVELS.indexOf(level) >= LOG_LEVELS.indexOf(least)) write(logLine({ level, event, ...fields }))
  }
