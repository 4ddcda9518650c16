import t from 'tap'
import { isPackageSource, PackageList } from '../../src/modzip/package-list.js'

t.test('sources of packages that others can import or run', async (t) => {
  const yes = ['m.go', 'a/m.go', 'a/b/m.go', 'internals/m.go', 'a-b/x.y/m.go', 'test.go']
  const no = [
    'm.go/x',
    'm_test.go',
    '_m.go',
    '.m.go',
    'm.gox',
    'go',
    'README.md',
    'a/_b/m.go',
    '.a/m.go',
    'testdata/m.go',
    'a/testdata/b/m.go',
    'vendor/m.go',
    'a/vendor/m.go',
    'internal/m.go',
    'a/internal/b/m.go',
    'a b/m.go',
    'é/m.go',
  ]
  for (const path of yes) t.ok(isPackageSource(path), path)
  for (const path of no) t.notOk(isPackageSource(path), path)
})

const doc = (text: string, name = 'm'): string => `// ${text}\npackage ${name}\n`

t.test('the documentation is that of the first file that has one, whatever came first', async (t) => {
  const files: [string, string][] = [
    ['a.go', 'package m\n'],
    ['b.go', doc('Of b.')],
    ['c.go', doc('Of c.')],
  ]
  for (const order of [files, files.toReversed(), [files[1], files[2], files[0]]]) {
    const list = new PackageList('example.com/m')
    for (const [path, source] of order as [string, string][]) list.add(path, source)
    t.strictSame(list.list().packages, [{ path: 'example.com/m', name: 'm', synopsis: 'Of b.' }])
  }
})

t.test('a folder has the package that most of its files have', async (t) => {
  const list = new PackageList('example.com/m')
  list.add('a/1.go', doc('Of main.', 'main'))
  list.add('a/2.go', doc('Of a.', 'a'))
  list.add('a/3.go', 'package a\n')
  list.add('b/1.go', doc('Of y.', 'y'))
  list.add('b/2.go', doc('Of x.', 'x'))
  list.add('c/1.go', 'package documentation\n')
  for (let i = 0; i < 100; i++) list.add(`d/${i}.go`, doc(`Of ${i}.`, `d${i}`))
  list.add('e/1.go', 'no package\n')
  t.strictSame(list.list(), {
    packages: [
      { path: 'example.com/m/a', name: 'a', synopsis: 'Of a.' },
      { path: 'example.com/m/b', name: 'x', synopsis: 'Of x.' },
      { path: 'example.com/m/d', name: 'd0', synopsis: 'Of 0.' },
    ],
    isCut: false,
  })
})

t.test('of too many packages the first ones are kept, with all that their files say', async (t) => {
  const paths = Array.from({ length: 3000 }, (_, i) => `p${String(i).padStart(4, '0')}`)
  const shuffled = paths.toSorted((a, b) => (a.slice(3) + a < b.slice(3) + b ? -1 : 1))
  for (const order of [paths, paths.toReversed(), shuffled]) {
    const list = new PackageList('example.com/m')
    for (const path of order) list.add(`${path}/a.go`, 'package m\n')
    for (const path of order.toReversed()) list.add(`${path}/b.go`, doc(`Of ${path}.`))
    const { packages, isCut } = list.list()
    t.ok(isCut)
    t.strictSame(
      packages,
      paths
        .slice(0, 1000)
        .map((path) => ({ path: `example.com/m/${path}`, name: 'm', synopsis: `Of ${path}.` })),
    )
  }
})

t.test('many long comments are not all looked at', async (t) => {
  const list = new PackageList('example.com/m')
  const comment = `${'//\n'.repeat(20_000)}\n`
  for (let i = 0; i < 1500; i++) list.add(`a/${i}.go`, `${comment}package a\n`)
  list.add('b/b.go', 'package b\n')
  const { packages, isCut } = list.list()
  t.strictSame(packages, [{ path: 'example.com/m/a', name: 'a' }])
  t.ok(isCut)
})
