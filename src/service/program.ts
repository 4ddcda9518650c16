// Where this program's files are at this moment. A release is started through a symbolic link (`current`), and an
// upgrade makes the link lead to another release: a process that is started anew comes from there.

import { realpathSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The folder that has this program's entry points, without links. */
const OWN = fileURLToPath(new URL('..', import.meta.url))

// node resolves links when it loads a file, and leaves the path that it was asked for in argv.
function folderAsked(): string {
  const asked = dirname(process.argv[1] ?? '')
  try {
    return `${realpathSync(asked)}/` === OWN ? asked : OWN
  } catch {
    return OWN
  }
}

const FOLDER = folderAsked()

// 'main.js' → /opt/plinth/current/build/src/main.js
/** The path of an entry point, by the links that this process was started by. */
export const programFile = (name: string): string => join(FOLDER, name)
