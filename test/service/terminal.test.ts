import t from 'tap'
import { readConfig } from '../../src/config.js'
import { servedAt } from '../../src/service/terminal.js'

t.test('npm start says where clients find what is served', async (t) => {
  const tls = { PLINTH_TLS_CERT: '/cert.pem', PLINTH_TLS_KEY: '/key.pem' }
  const table: [env: Record<string, string>, at: string][] = [
    [{}, 'http://127.0.0.1:8080'],
    [{ PLINTH_LISTEN: '*:8080' }, 'http://localhost:8080'],
    [{ PLINTH_LISTEN: '[::]:8443', ...tls }, 'https://localhost:8443'],
    [{ PLINTH_LISTEN: '127.0.0.1:1,[::1]:2,unix:/s' }, 'http://127.0.0.1:1, http://[::1]:2, unix:/s'],
    [
      { PLINTH_LISTEN: 'unix:/s,*:1', PLINTH_PUBLIC_URL: 'https://a.example' },
      'https://a.example (nginx listens on unix:/s, *:1)',
    ],
    [
      { PLINTH_LISTEN: '*:8080', PLINTH_PUBLIC_URL: 'https://plinth.example.com' },
      'https://plinth.example.com (nginx listens on *:8080)',
    ],
  ]
  for (const [env, at] of table) t.equal(servedAt(readConfig(env)), at)
})
