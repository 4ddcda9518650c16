// Temporary folders for tests. They are removed when the process ends.

import { spawnSync } from 'node:child_process'
import { chmodSync, existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import './child.js' // on exit it kills child processes before their folders are removed

process.umask(0o022)

/** A folder for a test, which others may enter (nginx's workers do); removed when the process ends. */
export function tempFolder(name = 'plinth-test', base = tmpdir()): string {
  const folder = mkdtempSync(join(base, `${name}-`))
  chmodSync(folder, 0o755)
  tempFolders.push(folder)
  return folder
}

const tempFolders: string[] = []
process.on('exit', () => {
  for (const folder of tempFolders) {
    if (!existsSync(folder)) continue // removed by its test, or inside of another one
    spawnSync('chmod', ['-R', 'u+w', folder])
    try {
      rmSync(folder, { recursive: true, force: true, maxRetries: 3 })
    } catch (error) {
      process.stderr.write(`${folder} is left: ${String(error)}\n`)
    }
  }
})
