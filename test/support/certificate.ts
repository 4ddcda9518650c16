import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import './programs.js'
import { tempFolder } from './temp-folder.js'

/**
 * A self-signed certificate for 127.0.0.1, and for hosts with these names: the settings that name it, and what a client
 * trusts.
 */
export function makeCertificate(names: string[] = []): {
  env: Record<string, string>
  path: string
  ca: Buffer
} {
  const folder = tempFolder('plinth-tls')
  const [cert, key] = [join(folder, 'cert.pem'), join(folder, 'key.pem')]
  const known = ['IP:127.0.0.1', ...['localhost', ...names].map((name) => `DNS:${name}`)]
  const subject = ['-subj', '/CN=plinth', '-addext', `subjectAltName=${known.join()}`]
  const how = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2']
  execFileSync('openssl', [...how, ...subject, '-keyout', key, '-out', cert], { stdio: 'ignore' })
  return { env: { PLINTH_TLS_CERT: cert, PLINTH_TLS_KEY: key }, path: cert, ca: readFileSync(cert) }
}
