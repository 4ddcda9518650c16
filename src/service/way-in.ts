// What brings files of this machine into the tree, put together: for the drop folder and for imports.

import { openAccess } from '../access/access.js'
import type { Config } from '../config.js'
import { makeModuleIntake } from '../go/intake.js'
import { makeHeld } from '../packages/same-content.js'
import { folders } from '../layout.js'
import type { Parts } from './parts.js'
import { makeRoom } from '../store/free-space.js'
import { makeTakeFile } from '../store/copy-in.js'

export type WayIn = ReturnType<typeof openWayIn>

/** The limits are those of uploads, which share `room` where there are any. */
export function openWayIn(config: Config, parts: Parts) {
  const { store } = parts
  const room = makeRoom(store.at(folders.tmp), config.minFreeBytes)
  const access = openAccess(store)
  return {
    ...parts,
    config,
    access,
    room,
    intake: makeModuleIntake({ ...parts, config, zips: { read: parts.zips.readPatiently } }),
    takeFile: makeTakeFile({ store, room }),
    held: makeHeld(parts),
    ownerExists: access.ownerExists,
  }
}
