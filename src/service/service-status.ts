// How the service is, for `plinth status`.

import { VERSION } from '../config.js'
import type { Parts } from './parts.js'
import type { ReadyReport } from './readiness.js'

/** How the service is, for the people of this machine: more than `/-/ready` tells. */
export type ServiceStatus = ReadyReport & {
  pid: number
  /** Of the program that runs, which the next command may not be of. */
  version: string
  /** When the process was started, as ISO 8601. */
  since: string
  /** What is free on the disk and what is kept free, in bytes. */
  disk: { free: number; floor: number }
  /** Checksum databases that record nothing, so that publishes of their owners are refused. */
  databasesRefusing: { owner: string; reason: string }[]
}

/** Asks the parts of the running service. */
export async function serviceStatus({ readiness, freeSpace, databases }: Parts): Promise<ServiceStatus> {
  const { free, floor } = await freeSpace.figures()
  return {
    ...(await readiness.report()),
    pid: process.pid,
    version: VERSION,
    since: new Date(Date.now() - process.uptime() * 1000).toISOString(),
    disk: { free, floor },
    databasesRefusing: databases.refusing,
  }
}
