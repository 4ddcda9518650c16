// The signals of `npm start`.

import type { Ending } from './child.js'

export class Signals {
  /** Resolves on the first SIGTERM, SIGINT or SIGHUP. */
  readonly stop: Promise<Ending>
  /** Resolves `restart`. */
  #askForRestart = (): void => {}
  /** Resolves on SIGUSR2. {@link awaitNextRestart} replaces it. */
  restart = this.#nextRestart()

  constructor() {
    this.stop = new Promise((resolve) => {
      for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const)
        process.on(signal, () => resolve({ code: 0, reason: `stopping on ${signal}` }))
    })
    process.on('SIGUSR2', () => this.#askForRestart())
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
