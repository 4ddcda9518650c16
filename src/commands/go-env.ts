// What a developer sets, once, where an owner of this Plinth is the only source of modules.

import { firstUrl } from '../addresses/listen-address.js'
import type { Config } from '../config.js'
import { runJob } from '../service/run-job.js'
import { ownerAddresses } from '../views/page-addresses.js'

/**
 * The lines to type. With a checksum database of the owner go checks every module against it, and fetches toolchains.
 * Without one there is none to ask, and go refuses to fetch a toolchain: then go.sum alone protects.
 */
export async function goEnvLines(config: Config, owner: string): Promise<string[]> {
  const publicUrl = config.publicUrl ?? firstUrl(config.listen, config.tls ? 'https' : 'http')
  const registry = new URL(publicUrl).origin + ownerAddresses({ publicUrl }, owner).registry
  const gosumdb = await enabledDatabase(config, owner)
  return [
    `go env -w GOPROXY=${registry}`,
    `go env -w GOSUMDB=${gosumdb ?? 'off'}`,
    `go env -w GOTOOLCHAIN=${gosumdb === undefined ? 'local' : 'auto'}`,
  ]
}

/** The value of GOSUMDB for the owner's database, if it has one that go may ask. */
async function enabledDatabase(config: Config, owner: string): Promise<string | undefined> {
  for await (const event of runJob(config, 'database', { action: 'show' })) {
    if (!('done' in event)) continue
    const found = event.databases.find((database) => database.owner === owner)
    return found?.status === 'enabled' ? found.gosumdb : undefined
  }
  return undefined
}
