// The rooms of the tests. They mirror src/ and share only test/support.

import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'

const ROOT = fileURLToPath(new URL('../../', import.meta.url))
const files = readdirSync(join(ROOT, 'test'), { recursive: true, encoding: 'utf8' }).filter((file) =>
  file.endsWith('.ts'),
)
const roomOf = (file: string): string => (file.includes('/') ? (file.split('/', 1)[0] ?? '') : '')

/** Tests of whole programs, and `support`. Every other folder is named after a folder of src/. */
const OWN_ROOMS = ['ceph', 'cli', 'differential', 'durability', 'e2e', 'scripts', 'support']

t.test('a folder of tests is named after what it tests', async (t) => {
  for (const room of new Set(files.map(roomOf)))
    t.ok(OWN_ROOMS.includes(room) || existsSync(join(ROOT, 'src', room)), room)
})

t.test('tests share only test/support', async (t) => {
  for (const file of files) {
    const source = readFileSync(join(ROOT, 'test', file), 'utf8')
    for (const [, name = ''] of source.matchAll(/from '(\.[^']+)'/g)) {
      const imported = join('test', file, '..', name)
      if (!imported.startsWith('test/')) continue
      const room = roomOf(imported.slice('test/'.length))
      t.ok(room === 'support' || room === roomOf(file), `${file} imports ${imported}`)
    }
  }
})
