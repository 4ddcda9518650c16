// Releases of this tree, with other versions.

import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import './programs.js'
import { ROOT } from './documents.js'

/**
 * Makes the release `version` in `folder`, and returns its path. Files that no commit has are in it, too; nothing is
 * built while tests run. `withModules` needs npm's cache or a registry.
 */
export function makeRelease(folder: string, version: string, { withModules = false } = {}): string {
  const words = [
    '--output',
    folder,
    '--version',
    version,
    '--dirty',
    '--built',
    ...(withModules ? ['--with-modules'] : []),
  ]
  execFileSync('env', ['-u', 'NODE_OPTIONS', 'sh', join(ROOT, 'scripts/release'), ...words], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, npm_config_prefer_offline: 'true' },
  })
  return join(folder, `plinth-${version}.tgz`)
}
