// The content of one entry, on a disk that fails.

import { crc32, deflateRawSync } from 'node:zlib'
import t from 'tap'
import { verifyContent } from '../../src/modzip/zip-content.js'
import type { LocatedEntry } from '../../src/modzip/zip-header.js'

t.test('a disk that fails is no fault of the zip', async (t) => {
  for (const method of [0, 8]) {
    const content = Buffer.from('some text')
    const packedSize = (method === 0 ? content : deflateRawSync(content)).length
    const name = Buffer.from('m@v1.0.0/a')
    const entry: LocatedEntry = {
      name,
      offset: 0,
      packedSize,
      size: content.length,
      method,
      crc32: crc32(content),
      encrypted: false,
      unixMode: 0,
      hasDescriptor: false,
    }
    const header = Buffer.alloc(30)
    header.writeUInt32LE(0x04034b50)
    const read = (offset: number): Buffer => {
      if (offset === 0) return header
      throw Object.assign(new Error('EIO: i/o error, read'), { code: 'EIO' })
    }
    const reading = async (): Promise<Buffer> => verifyContent(read, 1000, entry)
    await t.rejects(reading(), { code: 'EIO' }, `method ${method}`)
  }
})
