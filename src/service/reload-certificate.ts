// Lets nginx load the certificate again, as a service manager asks for it.

import type { Config } from '../config.js'
import { messageOf } from '../errors.js'
import { checkTls } from '../nginx/certificate.js'
import type { NginxProcess } from './nginx-process.js'
import type { ServiceManager } from './service-manager.js'
import { complain, say, warn } from './terminal.js'

/** A certificate that is not good is left aside. `serving` is what the service manager is told when all is well. */
export async function reloadCertificate(
  config: Config,
  nginx: NginxProcess,
  manager: ServiceManager,
  serving: string,
): Promise<void> {
  await manager.reloading()
  let status = serving
  try {
    warn(checkTls(config))
    nginx.reload()
    say('nginx loads the certificate again')
  } catch (error) {
    status = `cannot load again, and goes on with what was loaded: ${messageOf(error)}`
    complain(status)
  }
  await manager.ready(status)
}
