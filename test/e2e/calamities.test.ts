// Five calamities, made in earnest, one after the other, to a Plinth as `npm start` runs it. Of each `/-/ready`, the
// metrics, the log and the alerts must tell, and then that it is over. Reads go on.
//
// The alerts are tried on what was scraped. Prometheus would wait for minutes: its rules get the scrapes as if each had
// stayed for so long.

import { mkdirSync, readFileSync, renameSync, rmdirSync, rmSync, statfsSync, writeFileSync } from 'node:fs'
import { request } from 'node:https'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import t, { type Test } from 'tap'
import { makeCertificate } from '../support/certificate.js'
import { ask, AUTH, TOKEN, type Answer } from '../support/http.js'
import { settledViolations } from '../support/invariants.js'
import { movableClock } from '../support/movable-clock.js'
import { freePort } from '../support/port.js'
import { needs } from '../support/programs.js'
import { alertsDuring } from '../support/promtool.js'
import { mountSmall } from '../support/small-file-system.js'
import { childOf, start } from '../support/start.js'
import { tempFolder } from '../support/temp-folder.js'
import { until } from '../support/until.js'

const UPLOADS = 50
const FLOOR = 8 * 2 ** 20
/** For how many minutes the alerts see what is well: one of them looks an hour back. */
const LONG = 75
/** For how many minutes they see the calamity: the most patient one waits for ten. */
const PATIENT = 15
/** How soon the tests run is none of Plinth's business. */
const MACHINE = ['PlinthDiskSlow']

const file = (name: string): string => `/api/packages/admin/generic/tool/1/${name}`

/** The value of a series of a scrape; `undefined` when it is absent. */
function valueOf(scrape: string | undefined, series: string): number | undefined {
  const line = scrape?.split('\n').find((each) => each.startsWith(`${series} `))
  return line === undefined ? undefined : Number(line.slice(series.length))
}

type Calamity = {
  name: string
  skip?: string | false
  make: () => Promise<void>
  /** What `/-/ready` says: the check, and why. */
  check: string
  reason: RegExp
  /** Whether a scrape, if there is one, shows it. The figures of before must not. */
  shows: (scrape: string | undefined) => boolean
  /** What the log says of it. */
  says: RegExp[]
  /** The alerts that fire. */
  alerts: string[]
  /** The alert that fires for an hour after it is over, and then ends. */
  lasting?: string[]
  /** What else is so meanwhile. */
  meanwhile?: (t: Test) => Promise<void>
  mend: () => Promise<void>
  /** What the log says when it is over. */
  over: RegExp[]
  /** What else is so afterwards. */
  after?: (t: Test) => Promise<void>
}

t.test('a Plinth that is hit', needs('nginx', 'pgrep', 'openssl', 'promtool'), async (t) => {
  const disk = mountSmall('size=32m,mode=755')
  if (typeof disk !== 'string') t.teardown(disk.unmount)
  const folder = typeof disk === 'string' ? tempFolder() : disk.folder
  const clock = movableClock()
  const certificate = makeCertificate([], 90)
  const [port, metrics] = [await freePort(), await freePort()]
  const data = join(folder, 'data')
  const run = start({
    PLINTH_DATA: data,
    PLINTH_LISTEN: `127.0.0.1:${port}`,
    PLINTH_ADMIN_TOKEN: TOKEN,
    PLINTH_METRICS: `127.0.0.1:${metrics}`,
    PLINTH_MIN_FREE_BYTES: String(typeof disk === 'string' ? 0 : FLOOR),
    PLINTH_STOP_SECONDS: '600', // what is under way ends when the test wants it to
    ...certificate.env,
    ...(typeof clock !== 'string' && clock.env),
  })
  await run.until(/plinth: serving/)

  // A client that does not care for the end of a certificate sees what is said of it.
  const tls = { ca: certificate.ca, via: { rejectUnauthorized: false } }
  const get = (path: string): Promise<Answer> => ask(port, 'GET', path, tls)
  const put = (name: string): Promise<Answer> => ask(port, 'PUT', file(name), { ...tls, body: 'xy' })
  const scrape = (): Promise<string | undefined> =>
    ask(metrics, 'GET', '/metrics', { auth: false }).then(
      ({ body }) => body,
      () => undefined,
    )
  const service = (): Promise<number> => childOf(run.pid, 'main.js')

  /** An upload that has begun and gets its end when the test wants it to. */
  function slowUpload(name: string) {
    const req = request({
      host: '127.0.0.1',
      port,
      method: 'PUT',
      path: file(name),
      headers: { authorization: AUTH, 'content-length': 2 },
      agent: false,
      rejectUnauthorized: false,
    })
    const answered = new Promise<string>((resolve) => {
      req.on('error', (error) => resolve(error.message))
      req.on('response', (res) => {
        const retry = res.headers['retry-after'] === undefined ? '' : ', try again later'
        text(res).then(
          (body) => resolve(`${res.statusCode}${retry}: ${body}`),
          (error: Error) => resolve(error.message),
        )
      })
    })
    req.write('x')
    return { name, answered, finish: () => void req.end('y') }
  }
  const slowUploads = async (prefix: string, count: number) => {
    const uploads = Array.from({ length: count }, (_, n) => slowUpload(`${prefix}${n}`))
    await until(async () => valueOf(await scrape(), 'plinth_upload_slots_used') === count)
    return uploads
  }
  let uploads: ReturnType<typeof slowUpload>[] = []

  const fill = join(folder, 'something-else')
  const socket = join(data, 'state/shim.sock')
  const nginxPid = (): number => Number(readFileSync(join(data, 'state/nginx/nginx.pid'), 'utf8'))
  const putCertificate = (pem: Buffer): void => {
    writeFileSync(`${certificate.path}.new`, pem)
    renameSync(`${certificate.path}.new`, certificate.path)
  }
  const loadCertificate = (): void => void process.kill(nginxPid(), 'SIGHUP')
  /** Why a client refuses to read that goes by the certificate; `undefined` when it reads. */
  const refusal = (): Promise<string | undefined> =>
    ask(port, 'GET', '/', { ca: readFileSync(certificate.path) }).then(
      () => undefined,
      ({ code }: { code?: string }) => code,
    )
  const notReady = (check: string): RegExp => new RegExp(`"event":"not ready","check":"${check}"`)
  const readyAgain = (check: string): RegExp => new RegExp(`"event":"ready again","check":"${check}"`)

  const CALAMITIES: Calamity[] = [
    {
      name: `a restart during ${UPLOADS} uploads`,
      make: async () => {
        uploads = await slowUploads('slow', UPLOADS)
        run.kill('SIGUSR2')
      },
      check: 'service',
      reason: /^it does not answer$/,
      shows: (scraped) => valueOf(scraped, 'plinth_ready{check="service"}') === 0,
      says: [/plinth: restarting the service; nginx goes on serving/, /"event":"stopping"/],
      alerts: ['PlinthNotReady', 'PlinthNotSettled'],
      meanwhile: async (t) => {
        t.equal(valueOf(await scrape(), 'plinth_upload_slots_used'), UPLOADS, 'they go on')
        const late = await put('late')
        t.match(late, { status: 503, headers: { 'retry-after': /^\d+$/ }, body: /reads go on/ })
      },
      mend: async () => uploads.forEach(({ finish }) => finish()),
      over: [/"event":"stopped"/, /plinth: the service runs again/],
      after: async (t) => {
        for (const { name, answered } of uploads) {
          t.match(await answered, /^201: /, name)
          t.match(await get(file(name)), { status: 200, body: 'xy' })
        }
        t.equal((await put('late')).status, 201, 'and what was refused is taken')
      },
    },
    {
      name: 'a disk that another program has filled',
      skip: typeof disk === 'string' && disk,
      make: async () => {
        const { bavail, bsize } = statfsSync(folder)
        writeFileSync(fill, Buffer.alloc(bavail * bsize - FLOOR / 2))
        await until(() => notReady('disk').test(run.output())) // before anybody asks
      },
      check: 'disk',
      reason: /^the disk is full: less is free than PLINTH_MIN_FREE_BYTES$/,
      shows: (scraped) =>
        valueOf(scraped, 'plinth_ready{check="disk"}') === 0 &&
        (valueOf(scraped, 'plinth_disk_free_bytes') ?? FLOOR) < FLOOR,
      says: [notReady('disk')],
      alerts: ['PlinthDiskFull', 'PlinthDiskLow', 'PlinthNotReady'],
      meanwhile: async (t) => {
        t.match(await put('no-room'), { status: 507 })
        t.equal(valueOf(await scrape(), 'plinth_uploads_total{kind="generic",result="no_room"}'), 1)
      },
      mend: async () => rmSync(fill),
      over: [readyAgain('disk')],
      after: async (t) => void t.equal((await put('no-room')).status, 201),
    },
    {
      name: 'a certificate that has expired',
      make: async () => {
        putCertificate(certificate.expired())
        loadCertificate()
      },
      check: 'certificate',
      reason: /^the certificate expired on \d{4}-/,
      shows: (scraped) =>
        valueOf(scraped, 'plinth_ready{check="certificate"}') === 0 &&
        (valueOf(scraped, 'plinth_certificate_expires_timestamp_seconds') ?? Infinity) < Date.now() / 1000,
      says: [notReady('certificate')],
      alerts: ['PlinthCertificateExpired', 'PlinthCertificateExpires', 'PlinthNotReady'],
      meanwhile: async () => until(async () => (await refusal()) === 'CERT_HAS_EXPIRED'),
      mend: async () => {
        putCertificate(certificate.ca)
        const waits = /expired on .*, and nginx has not loaded the new one yet/
        await until(async () => waits.test((await get('/-/ready')).body)) // clients still see the old one
        loadCertificate()
      },
      over: [readyAgain('certificate')],
      after: async () => until(async () => (await refusal()) === undefined),
    },
    {
      name: 'a clock that is put back by an hour',
      skip: typeof clock === 'string' && clock,
      make: async () => void (typeof clock !== 'string' && clock.moveTo(-3600)),
      check: 'clock',
      reason: /^the clock of the server was put back by 3[56]\d\d s$/,
      shows: (scraped) =>
        valueOf(scraped, 'plinth_ready{check="clock"}') === 0 &&
        (valueOf(scraped, 'plinth_clock_moved_seconds') ?? 0) < -3500,
      says: [/"event":"the clock was moved, or the machine was asleep","seconds":-3[56]/, notReady('clock')],
      alerts: ['PlinthClockMoved', 'PlinthNotReady'],
      mend: async () => void (typeof clock !== 'string' && clock.moveTo(0)),
      over: [
        /"seconds":3[56]\d\d,"back":"it is where it was at the start of the service"/,
        readyAgain('clock'),
      ],
    },
    {
      name: 'kill -9 of the service during uploads, and it does not come up again',
      make: async () => {
        uploads = await slowUploads('killed', 10)
        rmSync(socket)
        mkdirSync(socket) // a service that finds this ends at its start
        process.kill(await service(), 'SIGKILL')
      },
      check: 'service',
      reason: /^it does not answer$/,
      shows: (scraped) => scraped === undefined,
      says: [
        /plinth: the service was ended by SIGKILL; nginx goes on serving, and the service is started again in/,
        /plinth: the service ended with code 1/,
      ],
      alerts: ['PlinthDown'],
      lasting: ['PlinthCrashed'],
      meanwhile: async (t) => {
        for (const { name, answered } of uploads) {
          t.match(await answered, /^503, try again later: uploads and deletes are not possible/, name)
          t.equal((await get(file(name))).status, 404, 'nothing of it is there')
        }
      },
      mend: async () => rmdirSync(socket),
      over: [/"event":"the service that ran before did not end in order/, /plinth: the service runs again/],
      after: async (t) => {
        for (const { name } of uploads) t.equal((await put(name)).status, 201, `${name} is taken now`)
      },
    },
  ]

  t.equal((await put('there')).status, 201)
  for (const calamity of CALAMITIES)
    await t.test(calamity.name, { skip: calamity.skip ?? false }, async (t) => {
      const { check, reason, shows, says, over, alerts, lasting = [] } = calamity
      const wrong = async () => {
        const { status, body } = await get('/-/ready')
        const { checks } = JSON.parse(body) as { checks: { name: string; ok: boolean; reason?: string }[] }
        return { status, failed: checks.filter(({ ok }) => !ok) }
      }
      const isReady = async (): Promise<boolean> => (await wrong()).status === 200
      /** Waits for all that the log is to say from `from` on. */
      const hears = (lines: RegExp[], from: number): Promise<void> =>
        until(() => lines.every((line) => line.test(run.output().slice(from))))
      const reads = new Set<number>()
      const reading = { goes: true }
      const reader = until(async () => {
        reads.add((await get(file('there'))).status)
        return !reading.goes
      })

      await until(isReady)
      const before = await scrape()
      t.notOk(shows(before), 'at first all is well')
      const begun = run.output().length

      await calamity.make()
      await until(async () => (await wrong()).status === 503)
      const { failed } = await wrong()
      t.match(failed, [{ name: check, reason }], '/-/ready says so')
      t.equal(failed.length, 1, 'and nothing else')
      let during: string | undefined
      await until(async () => shows((during = await scrape())))
      await hears(says, begun)
      await calamity.meanwhile?.(t)

      const mended = run.output().length
      await calamity.mend()
      await until(isReady)
      let after: string | undefined
      await until(async () => !shows((after = await scrape())))
      await hears(over, mended)
      await calamity.after?.(t)

      reading.goes = false
      await reader
      t.same([...reads], [200], 'reads went on')
      const fired = alertsDuring([
        { scrape: before, minutes: LONG },
        { scrape: during, minutes: PATIENT },
        { scrape: after, minutes: PATIENT },
        { scrape: after, minutes: LONG },
      ]).map((names) => names.filter((name) => !MACHINE.includes(name)))
      t.same(fired, [[], alerts, lasting, []], 'alerts fire, and end')
    })

  run.kill('SIGTERM')
  t.same(await run.ended, { code: 0, signal: null })
  t.same(await settledViolations(data), [])
})
