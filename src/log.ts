// The log: one JSON object a line on standard output. It never holds a token or an Authorization header: callers pass
// named fields, never headers.

/** The fields of one line. An `undefined` one is left out. */
export type LogFields = Record<string, string | number | boolean | undefined>

export type Log = (level: 'info' | 'warn' | 'error', event: string, fields?: LogFields) => void

/** A log that writes through `write`, one line a call. */
export const makeLog =
  (write: (line: string) => void): Log =>
  (level, event, fields = {}) =>
    write(`${JSON.stringify({ time: new Date().toISOString(), level, event, ...fields })}\n`)
