// Which file system a folder is on, as people call it, and what is known of some of them that no probe can find out.

import { readFileSync, statfsSync, statSync } from 'node:fs'

/** Of statfs(2) in Linux (linux/magic.h, and the sources of those that are not in there). */
const MAGIC: Readonly<Record<number, string>> = {
  0xef53: 'ext4',
  0x58465342: 'xfs',
  0x9123683e: 'btrfs',
  0x2fc12fc1: 'zfs',
  0xca451a4e: 'bcachefs',
  0xf2f52010: 'f2fs',
  0x01021994: 'tmpfs',
  0x858458f6: 'ramfs',
  0x794c7630: 'overlay',
  0x6969: 'nfs',
  0xff534d42: 'cifs',
  0xfe534d42: 'smb2',
  0x65735546: 'fuse',
  0x00c36400: 'ceph',
  0x01021997: '9p',
  0x4d44: 'vfat',
  0x2011bab0: 'exfat',
  0x01161970: 'gfs2',
  0x7461636f: 'ocfs2',
  0x0bd00bd0: 'lustre',
  0x47504653: 'gpfs',
}

/** `magic` and `device` tell whether it is still the same one. */
export type Kind = { name: string; magic: number; device: number }

const FENCES_NOBODY =
  'it fences nobody: a machine that was cut off could go on writing after another has taken over'

/** Why several machines cannot share a file system of this name, whatever a probe finds. */
const NOT_SHARED: Readonly<Record<string, string>> = {
  nfs: FENCES_NOBODY,
  nfs4: FENCES_NOBODY,
  cifs: FENCES_NOBODY,
  smb2: FENCES_NOBODY,
  smb3: FENCES_NOBODY,
  '9p': FENCES_NOBODY,
  virtiofs: FENCES_NOBODY,
  'fuse.glusterfs': 'another machine sees an old list after the answer to an upload',
  'fuse.sshfs': 'its locks and its caches are those of each machine alone',
  'fuse.rclone': 'its locks and its caches are those of each machine alone',
  'fuse.s3fs': 'its locks and its caches are those of each machine alone',
}

/** Why several machines cannot share it; `undefined` when nothing is known against it. */
export const notShared = ({ name }: Pick<Kind, 'name'>): string | undefined => NOT_SHARED[name]

/** What tells one file system from another, by two system calls. */
export function identityOf(folder: string): Omit<Kind, 'name'> {
  return { magic: statfsSync(folder).type, device: statSync(folder).dev }
}

/** The file system of the folder. */
export function kindOf(folder: string): Kind {
  const identity = identityOf(folder)
  return { name: mountedType(identity.device) ?? nameOfMagic(identity.magic), ...identity }
}

const nameOfMagic = (magic: number): string =>
  process.platform === 'linux'
    ? (MAGIC[magic] ?? `a file system of type 0x${magic.toString(16)}`)
    : 'a file system of this machine'

// 66052 → 258:4
/** As /proc/self/mountinfo writes the number of a device: `st_dev` of stat(2) has both parts. */
function majorMinor(device: number): string {
  const bits = BigInt(device)
  const major = ((bits >> 8n) & 0xfffn) | ((bits >> 32n) & 0xfffff000n)
  const minor = (bits & 0xffn) | ((bits >> 12n) & 0xffffff00n)
  return `${major}:${minor}`
}

// '36 35 98:0 / /srv rw shared:1 - fuse.ceph-fuse ceph-fuse rw' → fuse.ceph-fuse
/** proc_pid_mountinfo(5); it knows which program a FUSE file system is of. Nothing on other systems than Linux. */
function mountedType(device: number): string | undefined {
  let text: string
  try {
    text = readFileSync('/proc/self/mountinfo', 'utf8')
  } catch {
    return undefined
  }
  const wanted = majorMinor(device)
  const line = text.split('\n').findLast((each) => each.split(' ', 3)[2] === wanted)
  return / - (\S+)/.exec(line ?? '')?.[1]
}
