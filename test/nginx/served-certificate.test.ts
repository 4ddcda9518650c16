import { createServer, type AddressInfo } from 'node:net'
import t from 'tap'
import { servedCertificateEnd } from '../../src/nginx/served-certificate.js'

t.test('who speaks no TLS, or nothing, or is not there, has no certificate', async (t) => {
  for (const [what, says] of [
    ['plain http', 'HTTP/1.1 400 Bad Request\r\n\r\n'],
    ['nothing', ''],
  ] as const) {
    const server = createServer((socket) => {
      socket.on('error', () => {}).resume()
      if (says !== '') socket.end(says)
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const { port } = server.address() as AddressInfo
    t.equal(await servedCertificateEnd({ host: '127.0.0.1', port }, 50), undefined, what)
    await new Promise((resolve) => server.close(resolve))
    t.equal(await servedCertificateEnd({ host: '127.0.0.1', port }), undefined, 'nobody')
  }
})
