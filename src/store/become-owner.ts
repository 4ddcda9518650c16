// Root leaves its rights behind before it touches anything in a data folder that belongs to somebody else. That user
// can put a link wherever he may write, at any moment, and root would follow it. What the user may not do himself is
// not done for him. The files that are made belong to him, as his service needs it.

import { execFileSync } from 'node:child_process'
import { lstatSync, statSync, type Stats } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { errno, StartProblem } from '../errors.js'
import { folders, lockPath } from '../layout.js'

/** Who owns one of these can make links in the data folder. The inbox is not among them: droppers may own it. */
const OWNED = ['.', folders.tree, dirname(folders.accounts), dirname(lockPath)]

// Where a folder is missing, or a file is in its place, nobody owns it. What is wrong there is said later.
function statusOf(look: typeof statSync, path: string): Stats | undefined {
  try {
    return look(path, { throwIfNoEntry: false })
  } catch (error) {
    if (errno(error) === 'ENOTDIR') return undefined
    throw error
  }
}

/** The group of each user who is not root and to whom the data folder or a folder in it belongs, by the user's id. */
function ownersOf(data: string, more: readonly string[]): Map<number, number> {
  const owners = new Map<number, number>()
  for (const path of [...OWNED, ...more].map((name) => resolve(data, name)))
    // A link belongs to whoever made it. Where it leads to, there may be another user's folder.
    for (const status of [lstatSync, statSync].map((look) => statusOf(look, path)))
      if (status && status.uid !== 0 && !owners.has(status.uid)) owners.set(status.uid, status.gid)
  return owners
}

/**
 * Makes this process, when it is root's, one of the user to whom the data folder (absolute) belongs, with the groups
 * of that user. `more` are further folders that it works in: absolute, or in the data folder. Returns the user's id;
 * `undefined` when nothing had to be done. Throws a {@link StartProblem} when they belong to several users.
 */
export function becomeOwner(data: string, ...more: string[]): number | undefined {
  if (process.getuid?.() !== 0) return undefined
  const owners = ownersOf(data, more)
  if (owners.size > 1)
    throw new StartProblem(
      `PLINTH_DATA=${data} has folders of several users (${[...owners.keys()].join(', ')}): ` +
        'root works on a data folder of one user; give it to one with chown -R, or run this as that user',
    )
  for (const [uid, gid] of owners) {
    takeGroups(uid, gid)
    process.setuid?.(uid)
    return uid
  }
  return undefined
}

// The groups are those that the system knows of the user, since a folder may have a group that its user is not in.
// Without an entry for the user, as in many containers, the folder's group is all that is known.
function takeGroups(uid: number, folderGid: number): void {
  const [gid = folderGid === 0 ? uid : folderGid, ...more] = groupsOf(uid)
  process.setgroups?.([gid, ...more])
  process.setgid?.(gid)
}

/** The ids of the user's groups, the main one first; none when the system does not know the user. */
function groupsOf(uid: number): number[] {
  try {
    const text = execFileSync('id', ['-G', String(uid)], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    })
    return text.trim().split(' ').map(Number)
  } catch {
    return []
  }
}
