// What a server says when it refuses, for the person who asked.

import { visible } from '../errors.js'
import { parseRecord } from '../views/parse-record.js'
import type { Answer } from './http.js'

const SHOWN_LINES = 40
const SHOWN_ADDRESS_CHARS = 300

// A server may answer anything. Its lines stay lines.
const clean = (body: string): string => body.trim().split(/\r?\n/, SHOWN_LINES).map(visible).join('\n')

/** What a status means, whatever was asked. */
const MEANING: Record<number, string> = {
  429: 'too many wrong credentials, or too many requests, came from here',
  502: 'the server is not there at the moment',
  503: 'the server takes no such request at the moment',
  504: 'the server did not answer in time',
}

/** Gitea's API tells its refusals in JSON. */
function said(body: string): string {
  const { message } = parseRecord(body)
  return typeof message === 'string' ? message : body
}

/** The error for an answer of `who` that is a refusal. `meaning` is what statuses mean for what was asked. */
export function refusalOf(
  who: string,
  { status, headers, body }: Answer,
  meaning: Readonly<Record<number, string>>,
): Error {
  const retry = headers['retry-after']
  const again = retry === undefined ? '' : `; try again in ${visible(retry)} seconds`
  if (status >= 300 && status < 400) {
    const where = visible(headers.location ?? 'nowhere').slice(0, SHOWN_ADDRESS_CHARS)
    return new Error(
      `${who} sends us to ${where}, which is not followed: the token would go along. Give the right --url`,
    )
  }
  const known = meaning[status] ?? MEANING[status]
  const means = known === undefined ? '' : `: ${known}`
  const text = headers['content-type']?.includes('html') ? '' : clean(said(body))
  return new Error(`${who} refused it with ${status}${means}${again}${text === '' ? '' : `\n${text}`}`)
}
