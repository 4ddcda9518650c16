// What go needs to know of an owner here, where that is the only source of modules.

import { firstUrl } from '../addresses/listen-address.js'
import { reportOf } from '../sumdb/report.js'
import { ownerAddresses } from '../views/page-addresses.js'
import type { Parts } from './parts.js'

/** The values of GOPROXY and GOSUMDB; the latter is absent without a checksum database that go may ask. */
export type GoSettings = { goproxy: string; gosumdb?: string }

export async function goSettingsOf(parts: Parts, owner: string): Promise<GoSettings> {
  const { publicUrl: named, listen, tls } = parts.config
  const publicUrl = named ?? firstUrl(listen, tls ? 'https' : 'http')
  const goproxy = new URL(publicUrl).origin + ownerAddresses({ publicUrl }, owner).registry
  const report = await reportOf(parts, owner)
  const gosumdb = report?.status === 'enabled' && report.refusal === undefined ? report.gosumdb : undefined
  return { goproxy, ...(gosumdb !== undefined && { gosumdb }) }
}
