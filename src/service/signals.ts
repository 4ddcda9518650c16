// The signals of `npm start`.

import type { Ending } from './child.js'

export class Signals {
  /** Resolves on the first SIGTERM or SIGINT, or SIGHUP unless that one asks to load again. */
  readonly stop: Promise<Ending>
  /** Resolves `restart`. */
  #askForRestart = (): void => {}
  /** Resolves on SIGUSR2. {@link awaitNextRestart} replaces it. */
  restart = this.#nextRestart()
  /** What a SIGHUP that asks to load again does. */
  #reload = (): void => {}

  /** A terminal that is closed sends SIGHUP. With `hangupReloads` there is none, and it asks to load again. */
  constructor({ hangupReloads = false } = {}) {
    this.stop = new Promise((resolve) => {
      const stopOn = (signal: NodeJS.Signals): void =>
        void process.on(signal, () => resolve({ code: 0, reason: `stopping on ${signal}` }))
      stopOn('SIGTERM')
      stopOn('SIGINT')
      if (hangupReloads) process.on('SIGHUP', () => this.#reload())
      else stopOn('SIGHUP')
    })
    process.on('SIGUSR2', () => this.#askForRestart())
  }

  /** Calls `load`, which never rejects, on SIGHUP; once more when others come meanwhile. */
  onReload(load: () => Promise<void>): void {
    let [isLoading, once] = [false, false]
    this.#reload = () => {
      once = true
      if (!isLoading) void loadWhileAsked()
    }
    async function loadWhileAsked(): Promise<void> {
      isLoading = true
      while (once) {
        once = false
        await load()
      }
      isLoading = false
    }
  }

  /** Makes `restart` wait for a SIGUSR2 that comes from now on. */
  awaitNextRestart(): void {
    this.restart = this.#nextRestart()
  }

  #nextRestart(): Promise<'restart'> {
    return new Promise((resolve) => {
      this.#askForRestart = () => resolve('restart')
    })
  }
}
