import t from 'tap'
import {
  checkFilePath,
  checkModulePath,
  checkPathMajor,
  escapePath,
  pathMajor,
  unescapePath,
} from '../../src/gomod/module-path.js'

const good = [
  'example.com/m',
  'example.com',
  'github.com/BurntSushi/toml',
  'example.com/a-b_c~d.e/f',
  'example.com/m/v2',
  'example.com/m/v10',
  'example.com/v2.v3',
  'example.com/~foo',
  'example.com/m/v', // not version-like
  'gopkg.in/yaml.v3',
  'gopkg.in/yaml.v0',
  'gopkg.in/yaml.v3-unstable',
  'example.com/con1',
  'x.y/com10',
]
const bad: [path: string, rule: RegExp][] = [
  ['', /empty string/],
  ['/example.com/m', /empty path element/],
  ['example.com/m/', /trailing slash/],
  ['example.com//m', /double slash/],
  ['-example.com/m', /leading dash/],
  ['example/m', /missing dot/],
  ['Example.com/m', /invalid char "E" in first/],
  ['exa_mple.com/m', /invalid char "_" in first/],
  ['example.com/m m', /invalid char " "/],
  ['example.com/m@v1', /invalid char "@"/],
  ['example.com/m!', /invalid char "!"/],
  ['example.com/é', /invalid char "é"/],
  ['example.com/a+b', /invalid char "\+"/],
  ['example.com/..', /invalid path element/],
  ['example.com/../m', /invalid path element/],
  ['example.com/.', /invalid path element/],
  ['example.com/.m', /leading dot/],
  ['example.com/m.', /trailing dot/],
  ['example.com/a\\b', /invalid char/],
  ['example.com/a\0b', /invalid char/],
  ['example.com/CON', /"CON" disallowed/],
  ['example.com/con.txt', /"con" disallowed/],
  ['example.com/Lpt9.x', /disallowed/],
  ['example.com/prefix~1', /trailing tilde/],
  ['example.com/prefix~1.go', /trailing tilde/],
  ['example.com/m/v1', /invalid version/],
  ['example.com/m/v0', /invalid version/],
  ['example.com/m/v02', /invalid version/],
  ['example.com/m/v2.1', /invalid version/],
  ['gopkg.in/yaml', /invalid version/],
  ['gopkg.in/yaml.v02', /invalid version/],
  ['gopkg.in/yaml.v0-unstable', /invalid version/],
  ['gopkg.in/yaml/v3', /invalid version/],
]

t.test('CheckPath', async (t) => {
  for (const path of good) t.equal(checkModulePath(path), undefined, path)
  for (const [path, rule] of bad) {
    t.match(checkModulePath(path), rule, `${JSON.stringify(path)} breaks ${String(rule)}`)
  }
})

t.test('CheckFilePath', async (t) => {
  const fine = [
    'm.go',
    '.hidden',
    '-dash',
    'a b',
    'x~1',
    'Ünïcödé.go',
    '日本語',
    'a!#$%&()+,-.=@[]^_{}~'.slice(0),
    'a/b/c',
  ]
  const wrong = [
    '',
    '/m',
    'm/',
    'a//b',
    '..',
    'a/../b',
    'a.',
    'a/b./c',
    'a:b',
    'a*b',
    'a\\b',
    "a'b",
    'a"b',
    'a|b',
    'a<b',
  ]
  for (const path of fine) t.equal(checkFilePath(path), undefined, path)
  for (const path of wrong) t.type(checkFilePath(path), 'string', path)
  for (const path of ['e\u0301', '😀', '٣', 'a\u00a0b', 'a\u200bb', 'tab\t', 'NUL', 'aux.c', 'a/LPT1.txt']) {
    t.type(
      checkFilePath(path),
      'string',
      `${path}: a combining mark, an emoji, a digit that is not ASCII, a device`,
    )
  }
})

t.test('the major version of a path', async (t) => {
  t.equal(pathMajor('example.com/m'), '')
  t.equal(pathMajor('example.com/m/v2'), '/v2')
  t.equal(pathMajor('gopkg.in/yaml.v3-unstable'), '.v3-unstable')
  t.equal(pathMajor('example.com/m/v1'), undefined)
})

t.test('CheckPathMajor', async (t) => {
  const table: [path: string, version: string, ok: boolean][] = [
    ['example.com/m', 'v0.1.0', true],
    ['example.com/m', 'v1.1.0', true],
    ['example.com/m', 'v2.0.0', false],
    ['example.com/m', 'v2.0.0+incompatible', true],
    ['example.com/m', 'v1.0.0+incompatible', true], // as x/mod/module
    ['example.com/m/v2', 'v2.0.0', true],
    ['example.com/m/v2', 'v3.0.0', false],
    ['example.com/m/v2', 'v1.0.0', false],
    ['example.com/m/v2', 'v2.0.0+incompatible', true],
    ['gopkg.in/yaml.v2', 'v2.1.0', true],
    ['gopkg.in/yaml.v2', 'v1.1.0', false],
    ['gopkg.in/yaml.v2-unstable', 'v2.1.0', true],
    ['gopkg.in/check.v1', 'v0.0.0-20161208181325-20d25e280405', true],
    ['gopkg.in/check.v2', 'v0.0.0-20161208181325-20d25e280405', false],
  ]
  for (const [path, version, ok] of table) {
    t.equal(checkPathMajor(path, version) === undefined, ok, `${path}@${version}`)
  }
})

t.test('capitals are escaped and come back', async (t) => {
  t.equal(escapePath('github.com/BurntSushi/toml'), 'github.com/!burnt!sushi/toml')
  t.equal(unescapePath('github.com/!burnt!sushi/toml'), 'github.com/BurntSushi/toml')
  for (const wrong of ['A', '!A', '!', 'a!', '!1', '!!a']) t.equal(unescapePath(wrong), undefined, wrong)
})
