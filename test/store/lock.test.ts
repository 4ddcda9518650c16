import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { StartProblem } from '../../src/errors.js'
import { FolderIsHeld, signLock, takeLock, type Lock } from '../../src/store/lock.js'
import { needs } from '../support/programs.js'
import { tempFolder } from '../support/temp-folder.js'

const textOf = (data: string): string => readFileSync(join(data, 'state/lock'), 'utf8')

t.test('the lock file names its holder', needs('flock'), async (t) => {
  const data = tempFolder()
  const lock = await takeLock(data)
  t.match(textOf(data), new RegExp(`^pid ${process.pid} on \\S+\\n$`))
  t.type(lock.fd, 'number', 'a child can hold it')
  writeFileSync(join(data, 'state/lock'), `pid ${'9'.repeat(100)} on a-host\n`)
  signLock(data)
  t.match(textOf(data), new RegExp(`^pid ${process.pid} on \\S+\\n$`), 'of an earlier one nothing is left')
  lock.release()
})

t.test('a lock that is released can be taken again', needs('flock'), async () => {
  const data = tempFolder()
  for (let i = 0; i < 2; i++) (await takeLock(data)).release()
})

t.test('two data folders have two locks', needs('flock'), async () => {
  const locks = [await takeLock(tempFolder()), await takeLock(tempFolder())]
  for (const lock of locks) lock.release()
})

t.test(
  'a standby is told the holder once, and gets the lock when it is released',
  needs('flock'),
  async (t) => {
    const data = tempFolder()
    const first = await takeLock(data)
    const told: string[] = []
    let waits = (): void => {}
    const waiting = new Promise<void>((resolve) => (waits = resolve))
    const standby = takeLock(data, {
      patience: 'for everybody',
      onWait: (holder) => (told.push(holder), waits()),
    })
    await waiting
    let taken = false
    const second = standby.then((lock) => ((taken = true), lock))
    await new Promise((resolve) => setTimeout(resolve, 250)) // longer than it waits between two tries
    t.notOk(taken)
    first.release()
    ;(await second).release()
    t.match(told, [new RegExp(`^pid ${process.pid} on `)])
    t.equal(told.length, 1)
  },
)

t.test(
  'whoever waits for commands alone gives up when a service holds the folder',
  needs('flock'),
  async (t) => {
    const data = tempFolder()
    const rebuild = await takeLock(data, { command: 'rebuild' })
    const told: string[] = []
    const service = new Promise<Lock>((resolve, reject) => {
      const onWait = (holder: string): void => {
        told.push(holder)
        rebuild.release()
      }
      takeLock(data, { patience: 'for commands', onWait }).then(resolve, reject)
    })
    const held = await service
    t.match(told, [new RegExp(`^pid ${process.pid} on .*, plinth rebuild$`)])
    const refusal: unknown = await takeLock(data, { patience: 'for commands' }).catch(
      (error: unknown) => error,
    )
    t.ok(refusal instanceof FolderIsHeld, String(refusal))
    held.release()
  },
)

t.test('a machine without flock', async (t) => {
  const path = process.env['PATH']
  t.teardown(() => (process.env['PATH'] = path))
  process.env['PATH'] = tempFolder()
  const warnings: string[] = []
  const lock = await takeLock(tempFolder(), { onWarning: (warning) => warnings.push(warning) })
  t.equal(lock.fd, undefined)
  t.match(warnings, [/there is no flock on this machine/])
  lock.release()
  await t.rejects(takeLock(tempFolder(), { patience: 'for everybody' }), StartProblem)
  await t.rejects(
    takeLock(tempFolder(), { patience: 'for everybody' }),
    /PLINTH_STANDBY needs the program flock/,
  )
})
