// The ids of requests. nginx makes one for each, and says it in the answer; the logs of both have it.

import { randomUUID } from 'node:crypto'

/** As nginx makes one ($request_id). */
const ID = /^[0-9a-f]{32}$/

/** The id that nginx gave to a request, or a new one where the header says none: 32 hex digits. */
export const requestId = (header: string): string =>
  ID.test(header) ? header : randomUUID().replaceAll('-', '')

/** What clients and proxies call a request by themselves: no text that is long, or that a reader could not see. */
const SENT_ID = /^[A-Za-z0-9._-]{1,64}$/

/** The id that a request came with, which nginx passes on. It proves nothing; `undefined` when there is none. */
export const sentId = (header: string): string | undefined => (SENT_ID.test(header) ? header : undefined)
