// Packages with names and versions as odd as the registries let them be. Nobody means harm.

import type { BrowsedPlinth } from './browsed-plinth.js'

/** Module versions, with a go.mod where it says more than the module's path. */
const MODULES: readonly [module: string, version: string, goMod?: string][] = [
  ['example.com', 'v1.0.0'],
  ['example.com/Azure/SDK', 'v1.0.0'],
  ['example.com/Azure/SDK', 'v1.1.0-RC1'],
  ['example.com/lib', 'v1.0.0'],
  ['example.com/lib/v2', 'v2.0.0'],
  ['example.com/lib/sub', 'v0.1.0'],
  ['example.com/lib/go/all', 'v0.1.0'],
  ['example.com/a_b.c~d-e', 'v1.0.0'],
  ['example.com/pseudo', 'v0.0.0-20240102030405-abcdef123456'],
  ['gopkg.in/yaml.v3', 'v3.0.1'],
  ['example.com/takes-back', 'v1.0.0'],
  ['example.com/takes-back', 'v1.1.0'],
  ['example.com/takes-back', 'v1.1.1', 'module example.com/takes-back\nretract v1.1.0 // It loses data.\n'],
  ['example.com/old', 'v1.0.0', '// Deprecated: use example.com/lib.\nmodule example.com/old\n'],
]

/** Versions of the generic package `tool`. */
const VERSIONS = [
  '1.0.0',
  '1.0.3-te st',
  '2026年',
  '@',
  'index',
  'latest',
  'all',
  '-',
  '...',
  '50%',
  '%41',
  '%2e%2e',
  'a%2Fb',
  '1+1',
  'x?y#z',
  'a&amp;b',
  'é',
  'e\u0301',
  '\u{1f600}',
  'version.html',
  'a;b',
  '\\',
  '"q"',
  '*',
]

/** Files of its version 1.0.0. */
const FILES = [
  'na me.bin',
  '100%.bin',
  'a+b',
  'index.html',
  'SHA256SUMS',
  '#1',
  '.hidden',
  '(x)[y]{z}',
  '=',
  '@',
]

/** Other generic packages. */
const NAMES = ['a+', '+b', 'go', 'all', 'index.html', 'A.B_c', '..a']

/** The bytes of a file say which one it is. */
export const contentOf = (name: string, version: string, file: string): string => `${name} ${version} ${file}`

/** More versions than a package's page has in its table. */
export const MANY = Array.from({ length: 103 }, (_, minor) => `v0.${minor}.0`)

/**
 * Publishes all of them for the owner `admin`, and `example.com/many` with MANY. The result has module versions, as
 * `{module} {version}`, with their zips, and the contents of all plain files.
 */
export async function publishOddPackages(plinth: BrowsedPlinth) {
  const zips = new Map<string, Buffer>()
  const module = async (path: string, version: string, files: Record<string, string>): Promise<void> =>
    void zips.set(`${path} ${version}`, await plinth.module('admin', path, version, files))
  for (const [path, version, goMod = `module ${path}\n`] of MODULES)
    await module(path, version, { 'go.mod': goMod, 'm.go': '// Package m does something.\npackage m\n' })
  for (const version of MANY)
    await module('example.com/many', version, { 'go.mod': 'module example.com/many\n', v: version })
  await module('example.com/without-go-mod', 'v2.0.0+incompatible', { 'p.go': 'package p\n' })

  const contents: string[] = []
  for (const [name, version, file] of [
    ...VERSIONS.map((each) => ['tool', each, 'f'] as const),
    ...FILES.map((each) => ['tool', '1.0.0', each] as const),
    ...NAMES.map((each) => [each, '1', 'f'] as const),
  ]) {
    const content = contentOf(name, version, file)
    await plinth.file('admin', name, version, file, content)
    contents.push(content)
  }
  return { zips, contents }
}
