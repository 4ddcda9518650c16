// Where pages and files are.

import t from 'tap'
import { importPrefixOf, ownerAddresses, siteAddresses } from '../../src/views/page-addresses.js'

t.test('an address is the absolute path of a page or a file', async (t) => {
  const team = ownerAddresses({}, 'team')
  const rows: [address: string, is: string][] = [
    [siteAddresses({}).home, '/'],
    [siteAddresses({}).script, '/-/search.js'],
    [team.page, '/team/'],
    [team.all, '/team/all'],
    [team.module('github.com/BurntSushi/toml'), '/team/go/github.com/!burnt!sushi/toml'],
    [team.moduleVersion('example.com/M', 'v1.0.0-RC1'), '/team/go/example.com/!m@v1.0.0-!r!c1'],
    [
      team.moduleVersion('example.com/m', 'v2.0.0+incompatible'),
      '/team/go/example.com/m@v2.0.0+incompatible',
    ],
    [team.generic('tool'), '/team/generic/tool'],
    [team.genericVersion('tool', '1.0 ü/?#%"<&'), '/team/generic/tool/1.0%20%C3%BC%2F%3F%23%25%22%3C%26'],
    [team.genericVersion('tool', '@'), '/team/generic/tool/@'],
    [team.registry, '/api/packages/team/go'],
    [team.list('example.com/M'), '/api/packages/team/go/example.com/!m/@v/list'],
    [
      team.moduleFile('example.com/m', 'v1.0.0-RC1', 'zip'),
      '/api/packages/team/go/example.com/m/@v/v1.0.0-!r!c1.zip',
    ],
    [team.genericFile('tool', '1.0', 'a b@#.gz'), '/api/packages/team/generic/tool/1.0/a%20b@%23.gz'],
    [team.index, '/api/packages/team/-/index.json'],
    [team.log, '/api/packages/team/-/index.ndjson'],
    [team.feed, '/api/packages/team/-/feed.atom'],
    [team.moduleIndex('example.com/M'), '/api/packages/team/-/go/example.com/!m/@/index.json'],
    [team.moduleFacts('example.com/M', 'v1.0.0'), '/api/packages/team/-/go/example.com/!m/@/v1.0.0.json'],
    [team.genericIndex('tool'), '/api/packages/team/-/generic/tool/@/index.json'],
    [team.genericFacts('tool', '@'), '/api/packages/team/-/generic/tool/@/version.json'],
    [team.sums('tool', '1 0'), '/api/packages/team/-/generic/tool/1%200/SHA256SUMS'],
    [team.latestFile('tool', 'a b'), '/api/packages/team/-/latest/tool/a%20b'],
  ]
  for (const [address, is] of rows) t.equal(address, is)
})

t.test('the pages of an owner called api are not below /api/, where the packages are', async (t) => {
  const { page, module, index } = ownerAddresses({}, 'api')
  t.same(
    [page, module('example.com/m'), index],
    ['/-/api/', '/-/api/go/example.com/m', '/api/packages/api/-/index.json'],
  )
})

t.test('a path of the public address stands in front of all addresses', async (t) => {
  for (const publicUrl of ['https://example.com/pl%20inth', 'https://example.com/pl%20inth/']) {
    t.equal(siteAddresses({ publicUrl }).home, '/pl%20inth/')
    t.equal(siteAddresses({ publicUrl }).style, '/pl%20inth/-/style.css')
    t.equal(ownerAddresses({ publicUrl }, 'team').all, '/pl%20inth/team/all')
    t.equal(ownerAddresses({ publicUrl }, 'team').index, '/pl%20inth/api/packages/team/-/index.json')
  }
  t.equal(ownerAddresses({ publicUrl: 'https://example.com' }, 'team').page, '/team/')
})

t.test('GOPRIVATE alone is enough when the path of a module leads to this server', async (t) => {
  const importPrefixes = [
    { prefix: 'go.corp.example', owner: 'team' },
    { prefix: 'corp.example/x', owner: 'other' },
  ]
  const rows: [publicUrl: string | undefined, module: string, prefix: string | undefined, why: string][] = [
    ['https://p.example', 'p.example/team/m', 'p.example', 'host and owner'],
    ['https://p.example', 'p.example/team', 'p.example', 'a module in the root'],
    ['https://p.example', 'p.example/teams/m', undefined, 'another owner'],
    ['https://p.example', 'p.example/m', undefined, 'no owner'],
    ['https://p.example', 'q.example/team/m', undefined, 'another host'],
    ['https://p.example/x', 'p.example/x/team/m', 'p.example', 'host, path and owner'],
    ['https://p.example/x', 'p.example/team/m', undefined, 'a path is missing'],
    ['http://p.example', 'p.example/team/m', undefined, 'go asks over https'],
    ['https://p.example:8443', 'p.example/team/m', undefined, 'an import path has no port'],
    [undefined, 'p.example/team/m', undefined, 'the host is not known'],
    [undefined, 'go.corp.example/m', 'go.corp.example', 'a prefix of the owner'],
    ['https://p.example', 'go.corp.example', 'go.corp.example', 'the prefix itself'],
    ['https://p.example', 'go.corp.examples/m', undefined, 'no whole element'],
    ['https://p.example', 'corp.example/x/m', undefined, 'a prefix of another owner'],
  ]
  for (const [publicUrl, module, prefix, why] of rows)
    t.equal(importPrefixOf({ publicUrl, importPrefixes }, 'team', module), prefix, why)
  t.equal(importPrefixOf({}, 'team', 'go.corp.example/m'), undefined)
})
