// Temporary folders for tests. They are removed when the process ends.

import { spawnSync } from 'node:child_process'
import { chmodSync, existsSync, mkdtempSync, rmSync, statfsSync } from 'node:fs'
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

const MEMORY = '/dev/shm'

const hasRoom = (folder: string): boolean => {
  if (!existsSync(folder)) return false
  const { bavail, bsize } = statfsSync(folder)
  return bavail * bsize > 2 ** 31 // small in many containers
}

/** {@link tempFolder} in memory where the machine has room there, for tests that no disk takes part in. */
export const memoryFolder = (): string => tempFolder('plinth-test', hasRoom(MEMORY) ? MEMORY : tmpdir())

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
