// The way in for a module zip whose bytes are here, however they came: read, checked, published.

import { Refusal } from '../errors.js'
import type { Received } from '../received.js'
import type { CheckPool } from './check-pool.js'
import { problemText } from './problems.js'
import type { ModulePublisher } from './publish.js'
import type { ModuleZip } from './zip.js'

/** What else is known of the zip: from `check` what is wrong with it, and when it was published. */
export type Known = { check?: (zip: ModuleZip) => string | undefined; published?: Date }

export type ModuleIntake = ReturnType<typeof makeModuleIntake>

type Needs = { config: { strict: boolean }; zips: CheckPool; modules: ModulePublisher }

export function makeModuleIntake({ config, zips, modules }: Needs) {
  /** The zip at `path` (absolute). Throws a 400 with everything that is wrong with it. */
  async function read(path: string, check?: Known['check']): Promise<ModuleZip> {
    const reading = await zips.read(path)
    if (!reading.ok) throw new Refusal(400, problemText(reading.problems))
    const { zip } = reading
    if (config.strict && zip.warnings.length > 0) throw new Refusal(400, problemText(zip.warnings))
    const problem = check?.(zip)
    if (problem !== undefined) throw new Refusal(400, problem)
    return zip
  }

  /** Checks and publishes. Throws a {@link Refusal}: 400 for what is wrong with it, 409 when the version exists. */
  async function publish(owner: string, received: Received, known: Known = {}): Promise<ModuleZip> {
    const zip = await read(received.path, known.check)
    const at = { owner, module: zip.module, version: zip.version }
    await modules.publish(at, { ...received, mod: zip.mod }, known.published)
    return zip
  }

  return { read, publish }
}
