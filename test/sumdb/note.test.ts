import t from 'tap'
import {
  checkDatabaseName,
  headText,
  newSigner,
  openHead,
  parseSigner,
  parseVerifier,
  signatureOf,
  signerText,
  verifierText,
  type Head,
  type Signer,
} from '../../src/sumdb/note.js'

// golang.org/x/mod/sumdb/note: GenerateKey from 64 bytes of 7, and Sign of a tlog.FormatTree
const NAME = 'sum.example.com/team'
const SECRET = `PRIVATE+KEY+${NAME}+57e2978e+AQcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcH`
const PUBLIC = `${NAME}+57e2978e+AepKbGPinFIKvvVQexMuxfmVR3auvr57kkIe6mkURtIs`
const TREE = 'go.sum database tree\n12345\nAAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n'
const OURS = `— ${NAME} V+KXjos0BzxP/wf6e09VDqqxZsBhw70zOe9jRvXtwO6JlSQQNvrgh8d3Hcg+DK0NtjVH1eSRaXezwig1gVOnOglJRwE=\n`
const WITNESS =
  '— witness.example.com J3gk9xlkNuu8pLI4eu4KzQbAvfzgdFvWyepJiSEf0yiWW1DBTnmuBN3MF8o7gBtxX5xhgBJNA+8jKu9/mVdsWOcDaAk=\n'
const HEAD = { size: 12345, root: Buffer.from(Array.from({ length: 32 }, (_, n) => n)) }

const signHead = (signer: Signer, head: Head): string => headText(signer, head, signatureOf(signer, head))

t.test("keys and heads are go's", async (t) => {
  const signer = parseSigner(`${SECRET}\n`)
  const verifier = parseVerifier(PUBLIC)
  if (!signer || !verifier) return t.fail('a key of go is none')
  t.equal(signerText(signer), SECRET)
  t.equal(verifierText(signer), PUBLIC)
  t.equal(verifierText(verifier), PUBLIC)
  t.equal(signHead(signer, HEAD), `${TREE}\n${OURS}`)
  for (const lines of [OURS, WITNESS + OURS, OURS + WITNESS])
    t.same(openHead(`${TREE}\n${lines}`, verifier), HEAD, 'lines of others are let through')
})

t.test('a new key is read as it was written', async (t) => {
  const signer = newSigner(NAME)
  t.not(verifierText(signer), PUBLIC)
  t.same(openHead(signHead(signer, HEAD), signer), HEAD)
  const again = parseSigner(signerText(signer))
  t.equal(again && signHead(again, HEAD), signHead(signer, HEAD))
})

t.test('a head that is changed is none', async (t) => {
  const verifier = parseVerifier(PUBLIC)
  if (!verifier) return t.fail('a key of go is none')
  const text = `${TREE}\n${OURS}`
  const others = {
    'another size': text.replace('12345', '12346'),
    'a size with a zero before it': text.replace('12345', '012345'),
    'another root': text.replace('AAEC', 'AAED'),
    'a root that is too short': text.replace('AAEC', ''),
    'another signature': text.replace('H1eSR', 'H1fSR'),
    'the name of another': text.replace(`— ${NAME}`, '— sum.example.com'),
    'another id': text.replace('V+KX', 'V+KY'),
    'a witness alone': `${TREE}\n${WITNESS}`,
    'no signature': `${TREE}\n`,
    'no empty line': `${TREE}${OURS}`,
    'a line more in the tree': `${TREE}more\n\n${OURS}`,
    'no end of line': text.slice(0, -1),
    'something behind it': `${text}x\n`,
    nothing: '',
  }
  for (const [what, other] of Object.entries(others)) t.equal(openHead(other, verifier), undefined, what)
})

t.test('a key that is changed is none', async (t) => {
  const [secret, open] = [SECRET, PUBLIC]
  for (const text of [
    '',
    'x',
    secret.replace('57e2', '57e3'),
    secret.replace('team', 'teem'),
    `${secret}=`,
    open,
  ])
    t.equal(parseSigner(text), undefined, text)
  for (const text of [
    '',
    'x',
    open.replace('57e2', '57e3'),
    open.replace('team', 'teem'),
    `${open}\n`,
    secret,
  ])
    t.equal(parseVerifier(text), undefined, text)
  // an algorithm of later, and a key that is too short: both with the id that they would have
  for (const text of [secret.replace('+AQcH', '+BQcH'), secret.slice(0, -4)])
    t.equal(parseSigner(text), undefined, text)
})

t.test('names of databases', async (t) => {
  for (const name of ['a.b', 'sum.corp.example/team', 'sum.corp.example/a/b-c/0.1', `a.${'b'.repeat(98)}`])
    t.equal(checkDatabaseName(name), undefined, name)
  const wrong = [
    ['', /not made of/],
    ['team', /no dot/],
    ['team/a.b', /no dot/],
    ['.', /dots alone/],
    ['..', /dots alone/],
    ['../x', /dots alone/],
    ['a.b/..', /dots alone/],
    ['a.b/.', /dots alone/],
    ['a.b/', /not made of/],
    ['/a.b', /not made of/],
    ['a.b//c', /not made of/],
    ['A.b', /not made of/],
    ['a.b:8080', /not made of/],
    ['a.b/ü', /not made of/],
    ['a.b c', /not made of/],
    ['a.b+c', /not made of/],
    ['a.b?c', /not made of/],
    ['a.b/c_d', /not made of/],
    ['a.b\n', /not made of/],
    [`a.${'b'.repeat(99)}`, /over 100/],
  ] as const
  for (const [name, why] of wrong) t.match(checkDatabaseName(name), why, JSON.stringify(name))
})
