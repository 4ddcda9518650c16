import t from 'tap'
import { getCommand, privateCommand, privateRoot } from '../../src/gomod/get-command.js'
import { parseImportPrefixes } from '../../src/gomod/import-prefix.js'

const URL = 'https://plinth.example.com'

t.test('the path of a module leads to the owner by the host and the owner in it', async (t) => {
  const table: [module: string, url: string, root: string | undefined, why?: string][] = [
    ['plinth.example.com/team/m', URL, 'plinth.example.com'],
    ['plinth.example.com/team/m/sub/v2', URL, 'plinth.example.com'],
    ['plinth.example.com/team', URL, 'plinth.example.com', 'the owner itself'],
    ['plinth.example.com/teams/m', URL, undefined, 'another owner'],
    ['plinth.example.com/other/team/m', URL, undefined, 'another owner'],
    ['plinth.example.com', URL, undefined, 'no owner'],
    ['plinth.example.com.evil.example/team/m', URL, undefined, 'another host'],
    ['a.plinth.example.com/team/m', URL, undefined, 'another host'],
    ['plinth.example.com/team/m', 'http://plinth.example.com', undefined, 'go asks by https'],
    ['plinth.example.com/team/m', `${URL}:8443`, undefined, 'go asks at port 443'],
    ['corp.example/plinth/team/m', 'https://corp.example/plinth', 'corp.example/plinth'],
    ['corp.example/team/m', 'https://corp.example/plinth', undefined, 'outside of the prefix'],
    ['corp.example/a/B-c_d.e~f/team/m', 'https://corp.example/a/B-c_d.e~f', 'corp.example/a/B-c_d.e~f'],
    ['plinth.example.com/team/m.git', URL, undefined, 'go takes it for a git repository'],
    ['plinth.example.com/team/m.git/sub', URL, undefined, 'go takes it for a git repository'],
    ['plinth.example.com/team/m.gitx', URL, 'plinth.example.com'],
    ['x/team/m', 'https://x;touch x', undefined, 'what is no URL'],
  ]
  for (const [module, url, root, why = root] of table)
    t.equal(privateRoot(module, { url, owner: 'team', prefixes: [] }), root, `${module} at ${url}: ${why}`)
  const api = { url: URL, owner: 'api', prefixes: [] }
  t.equal(privateRoot('plinth.example.com/api/m', api), undefined, 'the packages are there')
})

t.test('import prefixes come first, the longest before the others', async (t) => {
  const prefixes = parseImportPrefixes(
    'go.corp.example=team,go.corp.example/x=secret,plinth.example.com/team/y=secret,a.example=api',
  )
  if (!Array.isArray(prefixes)) throw new Error(prefixes.rule)
  const table: [module: string, owner: string, root: string | undefined][] = [
    ['go.corp.example', 'team', 'go.corp.example'],
    ['go.corp.example/m', 'team', 'go.corp.example'],
    ['go.corp.example/xy', 'team', 'go.corp.example'],
    ['go.corp.example/x', 'team', undefined],
    ['go.corp.example/x/m', 'team', undefined],
    ['go.corp.example/x/m', 'secret', 'go.corp.example/x'],
    ['go.corp.example/m', 'secret', undefined],
    ['plinth.example.com/team/m', 'team', 'plinth.example.com'],
    ['plinth.example.com/team/y/m', 'team', undefined],
    ['plinth.example.com/team/y/m', 'secret', 'plinth.example.com/team/y'],
    ['a.example/m', 'api', 'a.example'],
  ]
  for (const [module, owner, root] of table) {
    t.equal(privateRoot(module, { url: URL, owner, prefixes }), root, `${module} of ${owner}`)
    if (module.startsWith('plinth')) continue
    t.equal(privateRoot(module, { url: 'http://127.0.0.1:8080', owner, prefixes }), root, 'at any address')
  }
})

t.test('the command names the host where that suffices, else the registry', async (t) => {
  const place = { url: URL, owner: 'team', prefixes: [] }
  const registry = `${URL}/api/packages/team/go`
  const near = 'GOPRIVATE=plinth.example.com go get plinth.example.com/team/m@v1.0.0'
  t.equal(getCommand('plinth.example.com/team/m', 'v1.0.0', registry, place), near)
  t.equal(privateCommand('plinth.example.com/team/m', 'v1.0.0', place), near)
  const far = `GOPROXY=${registry} GONOSUMDB=example.com/m go get example.com/m@v1.0.0`
  t.equal(getCommand('example.com/m', 'v1.0.0', registry, place), far)
  t.equal(privateCommand('example.com/m', 'v1.0.0', place), undefined)
})
