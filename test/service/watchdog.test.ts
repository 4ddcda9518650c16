// What the service manager hears, and what is ended, when a part does not answer. The manager and the parts are the
// test's; a real systemd is in test/e2e/systemd.test.ts.

import { createServer } from 'node:net'
import { mock } from 'node:test'
import t from 'tap'
import { answersAt } from '../../src/service/probe.js'
import { ServiceManager } from '../../src/service/service-manager.js'
import { startWatchdog, type Watched } from '../../src/service/watchdog.js'
import { until } from '../support/until.js'

/** Counts how often it hears that all is well. */
class CountingManager extends ServiceManager {
  heard = 0
  constructor(watchdogMs: number | undefined) {
    super({ socket: '/nonexistent/socket', watchdogMs })
  }
  override alive(): Promise<void> {
    this.heard++
    return Promise.resolve()
  }
}

function part(name: string) {
  const state = { name, looks: 0, kills: 0, answering: true }
  const watched: Watched = {
    name,
    answers: () => {
      state.looks++
      return Promise.resolve(state.answering)
    },
    kill: () => void state.kills++,
  }
  return { state, watched }
}

t.test('without a service manager nothing is looked at', async (t) => {
  const { state, watched } = part('the service')
  startWatchdog(new ServiceManager({ socket: undefined, watchdogMs: 6 }), [watched])()
  startWatchdog(new CountingManager(undefined), [watched])()
  t.equal(state.looks, 0)
})

t.test('it hears that all is well while all answer, and one that does not is ended', async (t) => {
  const manager = new CountingManager(60)
  const [service, nginx] = [part('the service'), part('nginx')]
  const stop = startWatchdog(manager, [service.watched, nginx.watched])
  await until(() => manager.heard >= 3)
  service.state.answering = false
  await until(() => service.state.kills >= 1)
  const { heard } = manager
  t.equal(nginx.state.kills, 0, 'the other one goes on')
  await until(() => service.state.kills >= 2)
  t.equal(manager.heard, heard, 'nothing is heard while one does not answer')
  service.state.answering = true
  await until(() => manager.heard > heard)
  stop()
})

t.test('a server that answers, hangs, or is not there', async (t) => {
  const silent = createServer(() => {})
  const talking = createServer((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'))
  for (const server of [silent, talking]) {
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    t.teardown(() => void server.close())
  }
  const portOf = (server: typeof silent): { port: number } => server.address() as { port: number }
  t.equal(await answersAt({ host: '127.0.0.1', port: portOf(talking).port }, 10_000), true)
  t.equal(await answersAt({ host: '127.0.0.1', port: portOf(silent).port }, 20), false)
  t.equal(await answersAt({ path: '/nonexistent/socket' }, 10_000), false)
})

t.test('one that takes all of its time in vain does not slow the looks down', async (t) => {
  mock.timers.enable({ apis: ['setTimeout'] })
  const { now } = performance
  let passed = 0
  performance.now = () => passed
  t.teardown(() => {
    performance.now = now
    mock.timers.reset()
  })
  const manager = new CountingManager(60_000)
  const at = { kill: 0, heard: 0 }
  const answers = (ms: number): Promise<boolean> =>
    at.kill > 0 ? Promise.resolve(true) : new Promise((resolve) => setTimeout(() => resolve(false), ms))
  const stop = startWatchdog(manager, [{ name: 'the service', answers, kill: () => (at.kill = passed) }])
  while (manager.heard === 0 && passed < 60_000) {
    passed += 1000
    mock.timers.tick(1000)
    await new Promise(setImmediate)
  }
  stop()
  at.heard = passed
  t.same(at, { kill: 25_000, heard: 30_000 })
})
