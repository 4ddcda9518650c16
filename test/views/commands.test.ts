// The commands that pages show are those that a shell must get.

import t from 'tap'
import { fetchCommands, getCommands, latestCommands } from '../../src/views/commands.js'
import { textOf } from '../support/html-tags.js'
import { genericVersion } from '../support/sample-facts.js'

/** The lines of each block of commands. */
const blocksOf = (markup: { toString(): string }): string[][] =>
  [...String(markup).matchAll(/<pre><code>([^]*?)<\/code><\/pre>/g)].map(([, text = '']) =>
    textOf(text).split('\n'),
  )

const program = (path: string) => ({ path, name: 'main' })
const at = { owner: 'team', module: 'example.com/m', version: 'v1.0.0' }

t.test('a module is got through GOPROXY, as the README has it', async (t) => {
  const through = (server: string): string[] => [
    `export GOPROXY="${server}/api/packages/team/go,$(go env GOPROXY)"`,
    'export GONOSUMDB=example.com/m',
    'go get example.com/m@v1.0.0',
  ]
  t.same(blocksOf(getCommands({}, at)), [through('$PLINTH')])
  t.same(blocksOf(getCommands({ publicUrl: 'http://10.0.0.1:8080' }, at)), [through('http://10.0.0.1:8080')])
  t.same(blocksOf(getCommands({ publicUrl: 'https://p.example/x' }, at)), [through('https://p.example/x')])
})

t.test('what stands for the address is named where it is not known', async (t) => {
  t.match(String(getCommands({}, at)), /<span data-plinth>\$PLINTH<\/span>.*data-plinth-note/s)
  t.notMatch(String(getCommands({ publicUrl: 'https://p.example' }, at)), 'data-plinth')
})

t.test('a module that leads to this server is got with GOPRIVATE, first', async (t) => {
  const module = 'p.example/team/m'
  const [first, second, ...more] = blocksOf(
    getCommands({ publicUrl: 'https://p.example' }, { ...at, module }),
  )
  t.same(first, ['GOPRIVATE=p.example go get p.example/team/m@v1.0.0'])
  t.equal(second?.[1], 'export GONOSUMDB=p.example/team/m')
  t.same(more, [])
})

t.test('commands of a module are installed', async (t) => {
  const packages = [
    { path: 'example.com/m', name: 'm' },
    ...['a', 'b', 'c', 'd', 'e', 'f'].map((name) => program(`example.com/m/${name}`)),
  ]
  const [lines = []] = blocksOf(getCommands({}, { ...at, packages }))
  t.same(lines.slice(2, 5), [
    'go get example.com/m@v1.0.0',
    'go install example.com/m/a@v1.0.0',
    'go install example.com/m/b@v1.0.0',
  ])
  t.equal(lines.length, 8, 'not all of very many')
})

t.test('a file is fetched under its own name', async (t) => {
  const [fetching = [], checking = []] = blocksOf(fetchCommands({}, genericVersion))
  const version = '$PLINTH/api/packages/team/generic/again/1.4.0+build%207'
  t.same(fetching, [
    `curl -fO "${version}/again-linux-amd64.tar.gz"`,
    `curl -fO "${version}/again-windows-amd64.zip"`,
    `curl -fo './read me (first).txt' "${version}/read%20me%20(first).txt"`,
    `curl -fO "${version}/checksums"`,
  ])
  t.same(checking, [
    'curl -f "$PLINTH/api/packages/team/-/generic/again/1.4.0+build%207/SHA256SUMS" | sha256sum -c --ignore-missing',
  ])
  t.same(blocksOf(latestCommands({}, 'team', 'again')), [
    ['curl -fO "$PLINTH/api/packages/team/-/latest/again/FILE"'],
  ])
})

t.test('a name cannot make a command', async (t) => {
  const rows: [file: string, line: string][] = [
    ['-o', `curl -fo './-o' "$PLINTH/api/packages/team/generic/t/1/-o"`],
    ['a!b', `curl -fo './a!b' "$PLINTH/api/packages/team/generic/t/1/a%21b"`],
    ['$(id)', `curl -fo './$(id)' "$PLINTH/api/packages/team/generic/t/1/%24(id)"`],
    ["a';id;'", `curl -fo './a'\\'';id;'\\''' "$PLINTH/api/packages/team/generic/t/1/a'%3Bid%3B'"`],
    ['a"`id`', `curl -fo './a"\`id\`' "$PLINTH/api/packages/team/generic/t/1/a%22%60id%60"`],
    ['a\nid', `curl -fo './a\nid' "$PLINTH/api/packages/team/generic/t/1/a%0Aid"`],
  ]
  for (const [file, line] of rows) {
    const facts = {
      ...genericVersion,
      name: 't',
      version: '1',
      files: [{ ...genericVersion.files[0]!, file }],
    }
    t.equal(blocksOf(fetchCommands({}, facts))[0]?.join('\n'), line)
  }
})

t.test('of very many files some are shown', async (t) => {
  const files = Array.from({ length: 1000 }, (_, each) => ({ ...genericVersion.files[0]!, file: `f${each}` }))
  const shown = fetchCommands({}, { ...genericVersion, files })
  t.equal(blocksOf(shown)[0]?.length, 20)
  t.match(String(shown), 'In the same way: 980 other files.')
})
