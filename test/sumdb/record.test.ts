import t from 'tap'
import { lookupText, parseLookup, parseRecord, recordText } from '../../src/sumdb/record.js'
import { lookupName } from '../../src/sumdb/paths.js'

const ZIP = `h1:${'Z'.repeat(43)}=`
const MOD = `h1:${'M'.repeat(43)}=`
const AT = { module: 'github.com/Azure/x', version: 'v1.0.0-RC1+incompatible' }
const TEXT = `github.com/Azure/x v1.0.0-RC1+incompatible ${ZIP}\ngithub.com/Azure/x v1.0.0-RC1+incompatible/go.mod ${MOD}\n`

t.test('a record is the two lines of go.sum', async (t) => {
  t.equal(recordText(AT, { zip: ZIP, mod: MOD }), TEXT)
  t.same(parseRecord(TEXT), { ...AT, sums: { zip: ZIP, mod: MOD } })
  const others = {
    nothing: '',
    'one line': TEXT.slice(0, TEXT.indexOf('\n') + 1),
    'a line more': `${TEXT}x\n`,
    'no end': TEXT.slice(0, -1),
    'two empty lines': `${TEXT}\n`,
    'another module in the second line': TEXT.replace('\ngithub.com/Azure', '\ngithub.com/azure'),
    'another version in the second line': TEXT.replace('/go.mod', '.1/go.mod'),
    'no go.mod': TEXT.replace('/go.mod', ''),
    'a sum that is none': TEXT.replace('ZZ', 'Z'),
    'a sum of another kind': TEXT.replace('h1:', 'h2:'),
    'two spaces': TEXT.replace(' v1', '  v1'),
    'the ends of lines of another system': TEXT.replaceAll('\n', '\r\n'),
  }
  for (const [what, other] of Object.entries(others)) t.equal(parseRecord(other), undefined, what)
})

t.test('a lookup is a number, a record and a head', async (t) => {
  const head = 'go.sum database tree\n9\nroot\n\n— a.b signature\n'
  const text = lookupText(8, TEXT, head)
  t.equal(text, `8\n${TEXT}\n${head}`)
  t.same(parseLookup(text), { id: 8, record: TEXT, head })
  for (const other of [
    '',
    text.slice(2),
    text.replace('8', '08'),
    text.replace('8', '-1'),
    `8\n${TEXT}\n`,
    `8\n${head}`,
  ])
    t.not(parseLookup(other)?.record, TEXT, other)
  t.equal(lookupName(AT), 'github.com/!azure/x@v1.0.0-!r!c1+incompatible')
})
