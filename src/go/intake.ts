// Takes a module zip that was received, whichever way it came: reads it, checks it, publishes it.

import { Refusal } from '../errors.js'
import { problemText } from '../gomod/problems.js'
import type { CheckPool } from '../modzip/check-pool.js'
import type { ModuleZip } from '../modzip/read-zip.js'
import type { Received } from '../store/write-body.js'
import type { ModulePublisher, Publishing } from './publish.js'

type Needs = { config: { strict: boolean }; zips: CheckPool; modules: ModulePublisher }

export class ModuleIntake {
  /** PLINTH_STRICT: a warning refuses the zip. */
  readonly #strict: boolean
  readonly #zips: CheckPool
  readonly #modules: ModulePublisher

  constructor({ config, zips, modules }: Needs) {
    this.#strict = config.strict
    this.#zips = zips
    this.#modules = modules
  }

  /**
   * Reads and checks the zip at `path` (absolute), which takes turns with others of its `account`. Throws a 400 with
   * everything that is wrong with it. Nobody waits for a `patient` reading: it takes turns with other patient ones, so
   * that uploads never wait for it.
   */
  async read(path: string, how: { account?: string; patient?: boolean }): Promise<ModuleZip> {
    const reading = await this.#zips.read(path, how)
    if (!reading.ok) throw new Refusal(400, problemText(reading.problems))
    const { zip } = reading
    if (this.#strict && zip.warnings.length > 0) throw new Refusal(400, problemText(zip.warnings))
    return zip
  }

  /** Publishes a zip that was read. Throws a 409 when the version exists. */
  publishRead(owner: string, received: Received, zip: ModuleZip, how?: Publishing): Promise<void> {
    const at = { owner, module: zip.module, version: zip.version }
    return this.#modules.publish(at, { ...received, mod: zip.mod }, how)
  }
}
