// Whether somebody listens at an address of this machine.

import { createConnection, type NetConnectOpts } from 'node:net'
import { errno } from '../errors.js'

/** Why no connection can be made: the code of the error, such as ECONNREFUSED; `undefined` when one was made. */
export const whyNoConnection = (where: NetConnectOpts): Promise<string | undefined> =>
  new Promise((resolve) => {
    const probe = createConnection(where)
    probe.once('connect', () => {
      probe.destroy()
      resolve(undefined)
    })
    probe.once('error', (error) => resolve(errno(error) ?? error.message))
  })
