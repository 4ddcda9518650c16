// A toolchain that is a script: go downloads, checks and unpacks it as any other, and switches to it.

import type { Files } from './zips.js'

/** The name of the toolchain: newer than any go. */
export const FAKE_TOOLCHAIN = 'go1.99.0'

/** The version of golang.org/toolchain that has it for a platform, such as `linux-amd64`. */
export const fakeToolchainVersion = (platform: string): string => `v0.0.1-${FAKE_TOOLCHAIN}.${platform}`

/** Its go.mod, which its zip has not. */
export const FAKE_TOOLCHAIN_MOD = 'module golang.org/toolchain\n'

/** The files that go makes executable, and those that it looks for; `bin/go` is a script that runs `lines`. */
export const fakeToolchainFiles = (lines: string): Files => ({
  VERSION: `${FAKE_TOOLCHAIN}\n`,
  'bin/go': `#!/bin/sh\n${lines}\n`,
  'bin/gofmt': '#!/bin/sh\n',
  'lib/none': '',
  'pkg/tool/none': '',
})
