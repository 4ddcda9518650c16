// How many files nginx's workers may open. The system decides, and we ask it before nginx does: nginx would go on with
// too few.

import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { connectionsWith, WANTED_FILES } from './conf-parts.js'

// Root may raise the hard limit, in some containers not even root: so the shell tries. Else it prints the hard limit.
const TRY = '(ulimit -n "$0") 2>/dev/null && echo "$0" || ulimit -Hn'

/** The files that a worker will be able to open, at most {@link WANTED_FILES}; a warning when they are fewer. */
export async function openFiles(): Promise<{ files: number; warning?: string }> {
  const { stdout } = await promisify(execFile)('/bin/sh', ['-c', TRY, String(WANTED_FILES)])
  const files = Number(stdout)
  if (files >= WANTED_FILES) return { files: WANTED_FILES }
  return {
    files,
    warning:
      `only ${files} files may be open at once (ulimit -Hn), so nginx takes ${connectionsWith(files)} connections ` +
      `a worker; with ${WANTED_FILES} it would take ${connectionsWith(WANTED_FILES)}`,
  }
}
