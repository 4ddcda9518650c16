import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { X509Certificate } from 'node:crypto'
import { join } from 'node:path'
import t from 'tap'
import { CertificateWatch } from '../../src/service/certificate-watch.js'
import { memoryFolder } from '../support/temp-folder.js'

/** One of a year, whose key was thrown away. */
const PEM = `-----BEGIN CERTIFICATE-----
MIIBdzCCAR2gAwIBAgIUbluqHj25jPzCBb4zHfe8It7M38EwCgYIKoZIzj0EAwIw
ETEPMA0GA1UEAwwGcGxpbnRoMB4XDTI2MTEyOTA2MTYyNVoXDTI3MTEyOTA2MTYy
NVowETEPMA0GA1UEAwwGcGxpbnRoMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE
8NECU0wLCRBuAqPrXJjxHFUK/JuxOhRtx4OiX2cClFfeHgov+9KRb2m9fgsHiqO3
XICLq/flnRb46jxIZXV1gqNTMFEwHQYDVR0OBBYEFILW1oX7xfJ3UZU3VPae/oBK
lsm8MB8GA1UdIwQYMBaAFILW1oX7xfJ3UZU3VPae/oBKlsm8MA8GA1UdEwEB/wQF
MAMBAf8wCgYIKoZIzj0EAwIDSAAwRQIgKjjeoajx7BqOZ37HpR7bakpSdqrqV6//
Upo+ezm29CACIQD0iVcPP8y2R7WwSwFU4nIvFVDl0PhtmL1qQqT42RDSTg==
-----END CERTIFICATE-----
`
const END = Date.parse(new X509Certificate(PEM).validTo)
const DAY = 86_400_000

function watched() {
  const path = join(memoryFolder(), 'cert.pem')
  writeFileSync(path, PEM)
  const clock = { now: END - 100 * DAY }
  const nginx: { serves: number | undefined } = { serves: undefined }
  const lines: object[] = []
  const watch = new CertificateWatch(
    { path, servedEnd: async () => nginx.serves },
    (level, event, fields) => void lines.push({ level, event, ...fields }),
    () => clock.now,
    0,
  )
  return { path, clock, nginx, lines, watch }
}

t.test('the log tells that the end is near, that it is past, and that there is a new one', async (t) => {
  const { clock, lines, watch } = watched()
  const at = async (days: number): Promise<object | undefined> => {
    clock.now = END - days * DAY
    lines.length = 0
    await watch.look()
    return lines[0]
  }
  t.equal(await at(14), undefined)
  t.match(await at(13.5), { level: 'warn', event: 'the certificate expires soon', days: 13 })
  t.match(await at(0.5), { level: 'warn', event: 'the certificate expires soon', days: 0 })
  t.equal(await watch.problem(), undefined)
  t.match(await at(-0.5), { level: 'warn', event: 'the certificate has expired', days: -1 })
  t.equal(await watch.problem(), `the certificate expired on ${new Date(END).toISOString()}`)
  t.match(await at(90), { level: 'info', event: 'there is a new certificate', days: 90 })
  t.equal(await watch.problem(), undefined)
  t.equal(await at(90), undefined, 'once')
})

t.test('a certificate that ends at no date ends nothing else', async (t) => {
  const { path, lines, watch } = watched()
  const der = new X509Certificate(PEM).raw.toString('latin1').replace('271129061625Z', '271329061625Z')
  const thirteenthMonth = Buffer.from(der, 'latin1').toString('base64')
  writeFileSync(path, `-----BEGIN CERTIFICATE-----\n${thirteenthMonth}\n-----END CERTIFICATE-----\n`)
  t.ok(new X509Certificate(readFileSync(path)), 'node reads it')
  t.equal(await watch.expires(), undefined)
  t.equal(await watch.problem(), undefined)
  await watch.look()
  t.same(lines, [])
})

t.test('a file that cannot be read is not an expired certificate', async (t) => {
  const { path, lines, watch } = watched()
  t.equal(await watch.expires(), END)
  for (const break_ of [() => writeFileSync(path, 'no PEM'), () => rmSync(path)]) {
    break_()
    t.equal(await watch.expires(), undefined)
    t.equal(await watch.problem(), undefined)
    await watch.look()
  }
  t.same(lines, [])
})

t.test('without TLS there is nothing to see', async (t) => {
  const watch = new CertificateWatch(undefined, () => t.fail('nothing is logged'))
  watch.start()
  t.equal(await watch.expires(), undefined)
  t.equal(await watch.problem(), undefined)
  watch.stop()
})

t.test('a renewed certificate counts when nginx has loaded it', async (t) => {
  const { path, clock, nginx, lines, watch } = watched()
  const before = END - 365 * DAY
  nginx.serves = before
  clock.now = before - DAY
  const fields = { expires: new Date(before).toISOString(), reason: 'nginx has not loaded the new one yet' }
  await watch.look()
  t.match(lines, [{ event: 'the certificate expires soon', days: 1, ...fields }])
  clock.now = before + DAY
  const expired = `the certificate expired on ${fields.expires}`
  t.equal(await watch.problem(), `${expired}, and ${fields.reason}`)
  t.equal(await watch.expires(), before)
  rmSync(path)
  t.equal(await watch.problem(), expired, 'what nginx serves is known without the file')
  writeFileSync(path, PEM)
  nginx.serves = undefined
  t.equal(
    await watch.problem(),
    `${expired}, and ${fields.reason}`,
    'an nginx that does not answer has not loaded it',
  )
  nginx.serves = END
  t.equal(await watch.problem(), undefined)
  await watch.look()
  t.match(lines[1], { event: 'there is a new certificate' })
})
