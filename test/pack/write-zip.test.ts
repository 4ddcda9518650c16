import { join } from 'node:path'
import { Readable } from 'node:stream'
import t from 'tap'
import { writeZip } from '../../src/pack/write-zip.js'
import { tempFolder } from '../support/temp-folder.js'

t.test('a file that changes meanwhile is no half file', async (t) => {
  const open = (content: string) => () => Readable.from([Buffer.from(content)])
  for (const content of ['', 'ab', 'abcd']) {
    const files = [{ path: 'x', kind: 'file' as const, size: 3, open: open(content) }]
    await t.rejects(writeZip(join(tempFolder(), 'm.zip'), 'm@v1/', files), {
      message: 'x changed while it was packed',
    })
  }
})
