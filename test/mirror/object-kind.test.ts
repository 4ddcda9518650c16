import t from 'tap'
import { headersOf, kindOf } from '../../src/mirror/object-kind.js'

t.test('the step, the type and the package of each file', async (t) => {
  const rows: [path: string, kind: string | undefined][] = [
    ['go/example.com/m/@v/v1.0.0.zip', '0 zip go/example.com/m'],
    ['go/example.com/m/@v/v1.0.0.mod', '0 text go/example.com/m'],
    ['go/example.com/m/@v/v1.0.0.info', '1 json go/example.com/m'],
    ['go/example.com/m/@v/list', '2 text go/example.com/m naming'],
    ['go/example.com/m/@latest', '2 json go/example.com/m naming'],
    ['go/example.com/m/@v/latest.zip', '2 zip go/example.com/m'],
    ['go/example.com/list/@v/list', '2 text go/example.com/list naming'], // a module called list
    ['go/sumdb.example.com/latest/@v/v1.0.0.zip', '0 zip go/sumdb.example.com/latest'],
    ['go/sumdb/sum.example.com/team/latest', '2 text go/sumdb naming'],
    ['go/sumdb/sum.example.com/team/lookup/example.com/m@v1.0.0', '1 text go/sumdb'],
    ['go/sumdb/sum.example.com/team/tile/8/0/x001/234.p/7', '0 bytes go/sumdb/tile'],
    ['go/sumdb/sum.example.com/team/tile/8/data/000', '0 text go/sumdb/tile'],
    ['generic/tool/1.0/page.html', '0 attachment generic/tool'], // no page of the bucket's host
    ['generic/tool/1.0/a b%c.txt', '0 attachment generic/tool'],
    ['-/latest/tool/page.html', '2 attachment generic/tool'],
    ['-/go/example.com/m/@/index.json', '2 json go/example.com/m naming'],
    ['-/go/example.com/m/@/v1.0.0.json', '1 json go/example.com/m'],
    ['-/generic/tool/@/index.json', '2 json generic/tool naming'],
    ['-/generic/tool/@/SHA256SUMS', '2 text generic/tool naming'], // a version called @
    ['-/index.json', '2 json  naming'],
    ['-/feed.atom', '2 atom  naming'],
    ['-/index.ndjson', undefined],
    ['-/index.html', undefined],
    ['-/go/example.com/m/@/index.html', undefined],
    ['go/example.com/m/@v/.v1.0.0.zip.tmp', undefined],
    ['generic/tool/1.0/line\nbreak', undefined], // two lines of a list
    ['generic/tool/stray', undefined],
    ['stray', undefined],
  ]
  for (const [path, expected] of rows) {
    const kind = kindOf(path)
    const said = kind && `${kind.step} ${kind.headers} ${kind.of}${kind.isNaming ? ' naming' : ''}`
    t.equal(said, expected, JSON.stringify(path))
  }
})

t.test('what a stranger uploaded is saved, never shown', async (t) => {
  t.same(headersOf('attachment'), [
    'Content-Type: application/octet-stream',
    'Content-Disposition: attachment',
    'Cache-Control: no-cache',
  ])
})
