// What happened lately: the log of an owner's module versions, as index.golang.org has it, and an Atom feed (RFC 4287).
// Pure.

import { parseRecord } from './parse-record.js'

/** A line of the log. Without `deleted` the version was published. `timestamp` is when the line was written. */
export type LogLine = { path: string; version: string; timestamp: string; deleted?: true }

// {"Path":"example.com/m","Version":"v1.0.0","Timestamp":"2026-11-21T01:02:03.456Z"}
/** The fields are those of index.golang.org. The line of a delete has one more. */
export const logLineText = ({ path, version, timestamp, deleted }: LogLine): string =>
  `${JSON.stringify({ Path: path, Version: version, Timestamp: timestamp, ...(deleted && { Deleted: true }) })}\n`

/** A line of the log; `undefined` for any other text. */
export function parseLogLine(text: string): LogLine | undefined {
  const { Path: path, Version: version, Timestamp: timestamp, Deleted: deleted } = parseRecord(text)
  if (typeof path !== 'string' || typeof version !== 'string' || typeof timestamp !== 'string')
    return undefined
  return { path, version, timestamp, ...(deleted === true && { deleted }) }
}

/** A published version: `url` is the path of its page. */
export type Publication = { kind: 'go' | 'generic'; name: string; version: string; time: string; url: string }

/** So many of the newest versions stand in the feed. */
export const FEED_ENTRIES = 100

/** The newest first. */
export const byTime = (a: Publication, b: Publication): number => {
  const [x, y] = [idOf(a), idOf(b)]
  return a.time !== b.time ? (a.time > b.time ? -1 : 1) : x < y ? -1 : x > y ? 1 : 0
}

const idOf = ({ kind, name, version }: Publication): string => `${kind} ${name} ${version}`

const wellFormed = (text: string): string => text.replace(/\p{Cs}/gu, '\ufffd')

const escapeXml = (text: string): string =>
  text
    .replace(/[&<>"']/g, (char) => `&#${char.charCodeAt(0)};`)
    // XML 1.0 has no such characters, escaped or not
    .replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]|\p{Cs}/gu, '\ufffd')

/** The Atom feed of an owner. `publications` are the newest ones, the newest first. */
export function feedText(
  owner: string,
  { page, feed }: { page: string; feed: string },
  publications: readonly Publication[],
): string {
  const id = (...names: string[]): string =>
    `urn:plinth:${['owner', owner, ...names].map((name) => encodeURIComponent(wellFormed(name))).join(':')}`
  const entries = publications.map(
    ({ kind, name, version, time, url }) => `<entry>
<title>${escapeXml(`${name} ${version}`)}</title>
<id>${id(kind, name, version, time)}</id>
<updated>${escapeXml(time)}</updated>
<link href="${escapeXml(url)}"/>
</entry>
`,
  )
  return `<?xml version="1.0" encoding="utf-8"?>
<feed xmlns="http://www.w3.org/2005/Atom">
<title>${escapeXml(`${owner}: new versions`)}</title>
<id>${id()}</id>
<updated>${escapeXml(publications[0]?.time ?? '1970-01-01T00:00:00Z')}</updated>
<author><name>${escapeXml(owner)}</name></author>
<link href="${escapeXml(page)}"/>
<link rel="self" href="${escapeXml(feed)}"/>
${entries.join('')}</feed>
`
}
