// Which folders and files of the tree belong to a package, and which package a file belongs to. Pure.

import { unescapePath } from '../gomod/module-path.js'
import {
  genericFolder,
  goFolder,
  latestFolder,
  modulePaths,
  moduleViews,
  packagesFolder,
  viewsFolder,
} from '../layout.js'
import { parseQueueKey, queueKey } from '../packages/operation.js'

/**
 * What a package has: whole folders, and single files beside folders of other packages. Folders below `roots` go when
 * they are empty.
 */
type PackageFiles = { folders: string[]; files: string[]; roots: string[] }

/** `key` is one of queueKey. Nothing for another text. */
export function filesOf(key: string): PackageFiles {
  const at = parseQueueKey(key)
  if (!at) return { folders: [], files: [], roots: [] }
  if ('module' in at) {
    const { versions, latest } = modulePaths(at)
    const { folder, root } = moduleViews(at)
    return { folders: [versions, folder], files: [latest], roots: [goFolder(at.owner), root] }
  }
  const { owner, name } = at
  const views = `${viewsFolder(owner)}/generic/${name}`
  return {
    folders: [`${genericFolder(owner)}/${name}`, views, latestFolder(owner, name)],
    files: [],
    roots: [],
  }
}

// tree/api/packages/admin/go/example.com/!m/@v/v1.0.0.zip → 'go admin example.com/M'
/** The key of the package to which this uploaded file belongs. */
export function keyOfUpload(path: string): string | undefined {
  const [owner = '', kind] = path.slice(packagesFolder.length + 1).split('/')
  if (kind === 'generic') {
    const [name = ''] = path.slice(genericFolder(owner).length + 1).split('/')
    return queueKey({ owner, name })
  }
  const [escaped = ''] = path.slice(goFolder(owner).length + 1).split('/@v/')
  const module = unescapePath(escaped)
  return module === undefined ? undefined : queueKey({ owner, module })
}
