// The files of a folder as they are on the disk: golang.org/x/mod/zip listFilesInDir, which CreateFromDir packs.

import { createReadStream } from 'node:fs'
import { lstat, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { IN_ANOTHER_MODULE, type LeftOut } from '../gomod/module-files.js'
import type { Source, SourceFile } from './source.js'

const VCS_FOLDERS = ['.bzr', '.git', '.hg', '.svn']

// A name that is not UTF-8 cannot be opened by the text that Node shows. Such a name is refused anyway.
async function sizeOf(path: string): Promise<number> {
  return path.includes('\ufffd') ? 0 : (await lstat(path)).size
}

/** Walks `root`. Does not enter nested modules and the folders of version control systems. */
export async function folderSource(root: string): Promise<Source> {
  const files: SourceFile[] = []
  const leftOut: LeftOut[] = []

  async function walk(folder: string): Promise<void> {
    const entries = await readdir(join(root, folder), { withFileTypes: true })
    if (folder !== '' && entries.some((entry) => entry.name === 'go.mod' && !entry.isDirectory())) {
      leftOut.push({ path: folder, rule: IN_ANOTHER_MODULE })
      return
    }
    // the same order everywhere, for the messages
    for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
      const path = `${folder}${entry.name}`
      const vcs = VCS_FOLDERS.includes(entry.name)
      if (entry.isDirectory() && vcs) {
        leftOut.push({ path: `${path}/`, rule: 'a version control folder' })
      } else if (entry.isDirectory() && !path.includes('\ufffd')) {
        await walk(`${path}/`)
      } else if (entry.name === '.git') {
        // ours: the .git file of a worktree or a submodule names a folder of this machine
        leftOut.push({ path, rule: 'a version control file' })
      } else if (!entry.isFile() && !entry.isDirectory()) {
        leftOut.push({ path, rule: entry.isSymbolicLink() ? 'a symbolic link' : 'not a regular file' })
      } else {
        const at = join(root, path)
        files.push({ path, kind: 'file', size: await sizeOf(at), open: () => createReadStream(at) })
      }
    }
  }

  await walk('')
  return { files, leftOut, warnings: [], close: () => {} }
}
