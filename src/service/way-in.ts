// What brings files of this machine into the tree, put together: for the drop folder and for imports.

import { openAccess } from '../access/access.js'
import type { Config } from '../config.js'
import { makeModuleIntake } from '../go/intake.js'
import { folders } from '../layout.js'
import type { Parts } from './parts.js'
import { FreeSpace } from '../store/free-space.js'
import { CopyIn } from '../store/copy-in.js'

export type WayIn = ReturnType<typeof openWayIn>

/** The limits are those of uploads, which share `freeSpace` where there are any. */
export function openWayIn(config: Config, parts: Parts) {
  const { store } = parts
  const freeSpace = new FreeSpace(store.at(folders.tmp), config.minFreeBytes)
  const access = openAccess(store)
  return {
    ...parts,
    config,
    access,
    freeSpace,
    intake: makeModuleIntake({ ...parts, config, zips: { read: parts.zips.readPatiently } }),
    copyIn: new CopyIn(store, freeSpace),
    ownerExists: access.ownerExists,
  }
}
