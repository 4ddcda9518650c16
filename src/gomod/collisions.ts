// Finds names in a zip that cannot be extracted side by side. Pure.

import { quote } from '../errors.js'
import { fold } from './fold.js'

/** How many files and folders are compared (ours), for memory. The largest known modules have 70,000. */
const MAX_NODES = 500_000

/**
 * x/mod/zip collisionChecker: names equal under case folding, files that are also folders, entries that come twice.
 * Every file and folder is one node, found by its parent's number and its own folded name: the cost of a path grows
 * with its length, not with the square of it.
 */
export class Collisions {
  /** `{number of the parent}/{folded name}` → the file or folder that had this name first. */
  readonly #nodes = new Map<string, { number: number; path: string; folder: boolean }>()

  /** Adds a path, without a slash at its end. Returns why it collides with an earlier one, or `undefined`. */
  add(path: string, folder: boolean): string | undefined {
    let parent = 0
    for (let end = path.indexOf('/'), start = 0; ; start = end + 1, end = path.indexOf('/', start)) {
      const last = end < 0
      const key = `${parent}/${fold(last ? path.slice(start) : path.slice(start, end))}`
      const here = last ? path : path.slice(0, end)
      const isFolder = !last || folder
      const node = this.#nodes.get(key)
      if (node) {
        const problem = collision(node, here, isFolder, last)
        if (problem !== undefined || last) return problem
        parent = node.number
      } else {
        if (this.#nodes.size >= MAX_NODES) return `one of over ${MAX_NODES} files and folders`
        parent = this.#nodes.size + 1
        this.#nodes.set(key, { number: parent, path: here, folder: isFolder })
        if (last) return undefined
      }
    }
  }
}

function collision(
  other: { path: string; folder: boolean },
  path: string,
  folder: boolean,
  last: boolean,
): string | undefined {
  if (other.path !== path) {
    return `case-insensitive file name collision: ${quote(other.path)} and ${quote(path)}`
  }
  if (other.folder !== folder) return `entry ${quote(path)} is both a file and a directory`
  return folder || !last ? undefined : `multiple entries for file ${quote(path)}`
}
