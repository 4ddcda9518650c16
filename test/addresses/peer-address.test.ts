import t from 'tap'
import { parsePeerAddress, peerAddressText } from '../../src/addresses/peer-address.js'

t.test('an address that other machines connect to', async (t) => {
  const GOOD: [text: string, host: string, port: number][] = [
    ['10.0.0.11:8081', '10.0.0.11', 8081],
    ['[fd00::11]:8081', 'fd00::11', 8081],
    ['machine-a.example:1', 'machine-a.example', 1],
    ['127.0.0.1:65535', '127.0.0.1', 65535],
  ]
  for (const [text, host, port] of GOOD) {
    const read = parsePeerAddress(text)
    t.same(read, { host, port }, text)
    if (typeof read !== 'string') t.equal(peerAddressText(read), text, 'it is written as it was')
  }
})

t.test('what is none is refused with the rule', async (t) => {
  const NONE = ['', '8081', ':8081', '10.0.0.11', '10.0.0.11:0', '10.0.0.11:65536', '10.0.0.11:+1', 'a b:1']
  NONE.push(
    'fd00::11:8081',
    '[fd00::11]',
    '[10.0.0.11]:1',
    '[fd00::11%eth0]:1',
    'unix:/run/x.sock',
    'a:1,b:1',
    'a:1\n',
  )
  for (const text of NONE) t.match(parsePeerAddress(text), /as 10\.0\.0\.11:8081/, JSON.stringify(text))
  for (const text of ['*:8081', '0.0.0.0:8081', '[::]:8081'])
    t.type(parsePeerAddress(text), 'string', `${text} says nobody where to connect to`)
})

t.test('nginx has its addresses for itself', async (t) => {
  const taken = ['127.0.0.1:8080', ' *:80', '[::]:81', 'unix:/run/http.sock', 'x']
  for (const text of ['127.0.0.1:8080', '10.0.0.11:80', '[fd00::11]:81'])
    t.match(parsePeerAddress(text, taken), /nginx listens there/, text)
  for (const text of ['10.0.0.11:8080', '127.0.0.1:8081'])
    t.type(parsePeerAddress(text, taken), 'object', text)
})
