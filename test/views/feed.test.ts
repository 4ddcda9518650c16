import t from 'tap'
import { byTime, feedText, logLineText, parseLogLine, type Publication } from '../../src/views/feed.js'

t.test("a line of the log has index.golang.org's fields, and one more for a delete", async (t) => {
  const line = { path: 'example.com/m', version: 'v1.0.0', timestamp: '2026-11-21T01:02:03.456Z' }
  const text = '{"Path":"example.com/m","Version":"v1.0.0","Timestamp":"2026-11-21T01:02:03.456Z"}\n'
  t.equal(logLineText(line), text)
  t.same(parseLogLine(text), line)
  const deleted = { ...line, deleted: true } as const
  t.same(parseLogLine(logLineText(deleted)), deleted)
  for (const torn of ['', '{', text.slice(0, 20), '[]', '{"Path":1,"Version":"","Timestamp":""}'])
    t.equal(parseLogLine(torn), undefined, torn)
})

const publication = (version: string, time: string): Publication => ({
  kind: 'generic',
  name: 'tool',
  version,
  time,
  url: `/a/generic/tool/${version}`,
})

t.test('the feed: the newest first, and no text of a stranger is markup', async (t) => {
  const hostile = `</title><script>&"'\u0000\ud800]]>`
  const publications = [
    publication('1', '2026-01-01T00:00:00Z'),
    publication(hostile, '2026-01-02T00:00:00Z'),
  ]
  publications.sort(byTime)
  const text = feedText('a', { page: '/a/', feed: '/api/packages/a/-/feed.atom' }, publications)
  t.notMatch(text, /<script|\u0000|\ud800|]]>/)
  t.match(text, /^<\?xml version="1.0" encoding="utf-8"\?>\n<feed xmlns="http:\/\/www.w3.org\/2005\/Atom">/)
  t.equal([...text.matchAll(/<entry>/g)].length, 2)
  t.match(text.slice(0, text.indexOf('<entry>')), '<updated>2026-01-02T00:00:00Z</updated>')
  t.ok(text.indexOf('script') < text.indexOf('<title>tool 1</title>'))
})
