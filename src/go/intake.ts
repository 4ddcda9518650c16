// Takes a module zip that was received, whichever way it came: reads it, checks it, publishes it.

import { dirname, join } from 'node:path'
import { Refusal } from '../errors.js'
import { problemText } from '../gomod/problems.js'
import type { CheckPool } from '../modzip/check-pool.js'
import type { ModuleZip } from '../modzip/read-zip.js'
import type { Received } from '../store/write-body.js'
import type { ModulePublisher, Publishing } from './publish.js'

/** Where the go.mod of a received zip is: in the folder of the upload, which is removed with it. */
const goModBeside = (path: string): string => join(dirname(path), 'go.mod')
/** Where the JSON text of its ModuleFacts is. */
const factsBeside = (path: string): string => join(dirname(path), 'facts.json')

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
   * what is wrong with it. Nobody waits for a `patient` reading: it takes turns with other patient ones, so that
   * uploads never wait for it. `mod` is the path of a new file that gets the bytes to serve as `.mod`, `facts` of one
   * that gets the JSON text of ModuleFacts.
   */
  async check(
    path: string,
    how: { account?: string; patient?: boolean; mod?: string; facts?: string },
  ): Promise<ModuleZip> {
    const reading = await this.#zips.read(path, how)
    if (!reading.ok) throw new Refusal(400, problemText(reading.problems))
    const { zip } = reading
    if (this.#strict && zip.warnings.length > 0) throw new Refusal(400, problemText(zip.warnings))
    return zip
  }

  /** {@link check} of a zip that was received into a folder of its own. Its go.mod and facts are written beside it. */
  read({ path }: Received, how: { account?: string; patient?: boolean }): Promise<ModuleZip> {
    return this.check(path, { ...how, mod: goModBeside(path), facts: factsBeside(path) })
  }

  /** Publishes a zip that was received and {@link read}. Throws a 409 when the version exists. */
  publishRead(owner: string, received: Received, zip: ModuleZip, how?: Publishing): Promise<void> {
    const at = { owner, module: zip.module, version: zip.version }
    const beside = { mod: goModBeside(received.path), facts: factsBeside(received.path) }
    const sums = { zip: zip.zipHash, mod: zip.modHash }
    return this.#modules.publish(at, { ...received, ...beside, sums }, how)
  }
}
