// The way in for a module zip whose bytes are here, however they came: read, checked, published.

import { Refusal } from '../errors.js'
import type { CheckPool } from '../modzip/check-pool.js'
import { problemText } from '../gomod/problems.js'
import type { ModulePublisher } from './publish.js'
import type { ModuleZip } from '../modzip/read-zip.js'
import type { Received } from '../store/write-body.js'

export type ModuleIntake = ReturnType<typeof makeModuleIntake>

type Needs = { config: { strict: boolean }; zips: Pick<CheckPool, 'read'>; modules: ModulePublisher }

export function makeModuleIntake({ config, zips, modules }: Needs) {
  /** The zip at `path` (absolute). Throws a 400 with everything that is wrong with it. */
  async function read(path: string): Promise<ModuleZip> {
    const reading = await zips.read(path)
    if (!reading.ok) throw new Refusal(400, problemText(reading.problems))
    const { zip } = reading
    if (config.strict && zip.warnings.length > 0) throw new Refusal(400, problemText(zip.warnings))
    return zip
  }

  /** Publishes what was read. Throws a 409 when the version exists. */
  const publishRead = (owner: string, received: Received, zip: ModuleZip, published?: Date): Promise<void> =>
    modules.publish(
      { owner, module: zip.module, version: zip.version },
      { ...received, mod: zip.mod },
      published,
    )

  /** Checks and publishes. Throws a {@link Refusal}: 400 for what is wrong with it, 409 when the version exists. */
  async function publish(owner: string, received: Received): Promise<ModuleZip> {
    const zip = await read(received.path)
    await publishRead(owner, received, zip)
    return zip
  }

  return { read, publishRead, publish }
}
