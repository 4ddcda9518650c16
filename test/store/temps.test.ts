import { existsSync, mkdirSync, readdirSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import t from 'tap'
import { Temps } from '../../src/store/temps.js'
import { memoryFolder } from '../support/temp-folder.js'

function make() {
  const folder = memoryFolder()
  return { folder, temps: new Temps(folder), names: () => readdirSync(folder).sort() }
}

t.test('every temp file has a path of its own in the folder, and nothing is made', async (t) => {
  const { folder, temps, names } = make()
  const paths = Array.from({ length: 100 }, () => temps.take())
  t.equal(new Set(paths).size, 100)
  for (const path of paths) t.equal(join(path, '..'), folder)
  t.same(names(), [])
})

t.test('an upload has a folder that nobody else may enter', async (t) => {
  const { folder, temps } = make()
  const upload = await temps.newUpload()
  t.equal(join(upload.folder, '..'), folder)
  t.equal(join(upload.body, '..'), upload.folder)
  t.equal(statSync(upload.folder).mode & 0o777, 0o700)
  t.notOk(existsSync(upload.body))
})

t.test('an upload is discarded whole, whatever is in it', async (t) => {
  const table: [what: string, fill: (folder: string, body: string) => void][] = [
    ['nothing', () => {}],
    ['a body', (_folder, body) => writeFileSync(body, 'x')],
    ['parts of a form', (folder) => writeFileSync(join(folder, 'part'), 'x')],
    [
      'a body, parts and a folder',
      (folder, body) => {
        writeFileSync(body, 'x')
        mkdirSync(join(folder, 'more'))
        writeFileSync(join(folder, 'more/part'), 'x')
      },
    ],
  ]
  for (const [what, fill] of table) {
    const { temps, names } = make()
    const upload = await temps.newUpload()
    fill(upload.folder, upload.body)
    await temps.discard(upload)
    t.same(names(), [], what)
    await temps.discard(upload)
    t.same(names(), [], `${what}, discarded twice`)
  }
})

t.test('a sweep removes what belongs to nobody', async (t) => {
  const { folder, temps, names } = make()
  const live = temps.take()
  const dropped = temps.take()
  const done = temps.take()
  for (const path of [live, dropped, done, join(folder, 'of-a-dead-run')]) writeFileSync(path, 'x')
  mkdirSync(join(folder, 'upload-of-a-dead-run'))
  writeFileSync(join(folder, 'upload-of-a-dead-run/body'), 'x')
  const upload = await temps.newUpload()
  await temps.drop(dropped)
  t.notOk(existsSync(dropped))
  temps.done(done)
  await temps.sweep()
  t.same(names(), [live, upload.folder].map((path) => path.slice(folder.length + 1)).sort())
})

t.test('a sweep beside the service leaves what is young', async (t) => {
  const { folder, temps, names } = make()
  const hour = 3_600_000
  for (const name of ['old', 'young']) writeFileSync(join(folder, name), 'x')
  const then = Date.now() / 1000 - 2 * 3600
  utimesSync(join(folder, 'old'), then, then)
  const live = temps.take()
  writeFileSync(live, 'x')
  utimesSync(live, then, then)
  await temps.sweep(hour)
  t.same(names(), ['young', live.slice(folder.length + 1)].sort())
})

t.test('a process may have a folder of its own', async (t) => {
  const { folder, names } = make()
  const temps = new Temps(folder, true)
  t.same(names(), [], 'nothing is made before it begins')
  await temps.begin()
  await temps.begin()
  const [own = ''] = names()
  t.equal(names().length, 1)
  t.equal(statSync(join(folder, own)).mode & 0o777, 0o700)
  const path = temps.take()
  t.equal(join(path, '..'), join(folder, own))
  const upload = await temps.newUpload()
  t.equal(join(upload.folder, '..'), join(folder, own))

  writeFileSync(join(folder, own, 'left'), 'x')
  mkdirSync(join(folder, 'of-a-dead-run'))
  writeFileSync(join(folder, 'of-a-dead-run/body'), 'x')
  writeFileSync(path, 'x')
  await temps.sweep()
  t.same(names(), [own], 'a sweep leaves it, and removes the folder of another process')
  t.same(
    readdirSync(join(folder, own)).sort(),
    [path, upload.folder].map((live) => basename(live)).sort(),
    'in it the sweep removes what belongs to nobody',
  )

  await temps.end()
  t.same(names(), [own], 'it stays while there is something in it')
  await temps.discard(upload)
  await temps.drop(path)
  await temps.end()
  t.same(names(), [])
  await temps.end()
})

t.test('without one, nothing is made or removed', async (t) => {
  const { folder, temps, names } = make()
  await temps.begin()
  t.same(names(), [])
  await temps.end()
  t.ok(existsSync(folder))
})

t.test('an upload whose folder cannot be made is forgotten', async (t) => {
  const { folder } = make()
  const gone = join(folder, 'gone')
  const failing = new Temps(gone)
  const error = await failing.newUpload().then(
    () => t.fail('it cannot be made'),
    (reason: NodeJS.ErrnoException) => reason,
  )
  mkdirSync(String(typeof error === 'object' && error.path), { recursive: true })
  await failing.sweep()
  t.same(readdirSync(gone), [], 'the sweep takes a folder of that name for a leftover')
})
