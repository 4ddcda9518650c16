// Loaded into a process (--import), it makes every file system look like CephFS, on which a time can be lost that was
// set before the bytes came to the disk.

import promises from 'node:fs/promises'
import { syncBuiltinESMExports } from 'node:module'

/** CEPH_SUPER_MAGIC of linux/magic.h */
const CEPH = 0x00c36400

const { statfs } = promises
promises.statfs = (async (path: string) => ({ ...(await statfs(path)), type: CEPH })) as typeof statfs
syncBuiltinESMExports()
