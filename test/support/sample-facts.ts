// Facts of packages that never were, for tests of pages.

import { createHash } from 'node:crypto'
import type {
  CatalogueEntry,
  GenericIndex,
  GenericVersionFacts,
  ModuleIndex,
  ModuleVersionFacts,
} from '../../src/views/facts.js'
import { renderReadme } from '../../src/views/markdown.js'

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex')
const h1 = (text: string): string => `h1:${createHash('sha256').update(text).digest('base64')}`

const README = `# Retry

[![build](https://ci.example/retry.svg)](https://ci.example/retry) Calls a function again until it succeeds, with
**growing pauses** and an end. See [the options](#options) or [the design](docs/design.md).

## Usage

\`\`\`go
err := retry.Do(ctx, func() error { return client.Ping(ctx) }, retry.Attempts(5), retry.MaxDelay(30*time.Second), retry.Jitter(0.2))
\`\`\`

1. The first pause is \`Delay\`.
2. Each pause is twice as long as the one before:
   - but never longer than \`MaxDelay\`
   - and never after the context is done

## Options

| option | default | meaning |
|---|--:|---|
| \`Attempts\` | 3 | how often the function is called at most |
| \`Delay\` | 100 ms | the first pause |
| \`MaxDelay\` | 10 s | no pause is longer than this |

> Only errors that say \`Temporary() bool\` are tried again.

---

~~Version 1~~ is no longer maintained.
`

/** A module version with everything that a page can show. */
export const moduleVersion: ModuleVersionFacts = {
  format: 1,
  kind: 'go',
  owner: 'team',
  module: 'plinth.example.com/team/Retry/v2',
  version: 'v2.3.1',
  time: '2026-03-04T05:06:07Z',
  size: 48_213,
  sha256: sha256('zip'),
  h1: h1('zip'),
  goModH1: h1('mod'),
  files: 23,
  go: '1.22',
  toolchain: 'go1.22.4',
  retracts: [],
  requires: [
    { path: 'github.com/cenkalti/backoff/v4', version: 'v4.3.0' },
    { path: 'golang.org/x/sync', version: 'v0.7.0' },
    { path: 'golang.org/x/sys', version: 'v0.20.1-0.20240501172111-a0d6b2f1cf45', indirect: true },
  ],
  packages: [
    {
      path: 'plinth.example.com/team/Retry/v2',
      name: 'retry',
      synopsis: 'Package retry calls a function again until it succeeds.',
    },
    { path: 'plinth.example.com/team/Retry/v2/internal/clock', name: 'clock' },
    {
      path: 'plinth.example.com/team/Retry/v2/cmd/again',
      name: 'main',
      synopsis: 'Again runs a command until it exits with 0.',
    },
  ],
  licences: [{ file: 'LICENSE', spdx: 'MIT' }, { file: 'NOTICE' }],
  goMod: `module plinth.example.com/team/Retry/v2

go 1.22

require (
	github.com/cenkalti/backoff/v4 v4.3.0
	golang.org/x/sync v0.7.0
)
`,
  readme: { file: 'README.md', html: renderReadme('README.md', README, { images: false }) },
}

const entryOf = (version: string, time: string): ModuleIndex['versions'][number] => ({
  version,
  time,
  size: 48_213,
  sha256: sha256(version),
  h1: h1(version),
  goModH1: h1(`${version}/go.mod`),
})

/** The module of {@link moduleVersion}. */
export const moduleIndex: ModuleIndex = {
  format: 1,
  kind: 'go',
  owner: 'team',
  module: moduleVersion.module,
  latest: 'v2.3.1',
  updated: '2026-03-05T01:02:03Z',
  count: 5,
  retracted: [{ low: 'v2.3.2', high: 'v2.3.2', rationale: 'It waits for ever when Attempts is 0.' }],
  versions: [
    {
      ...entryOf('v2.3.2', '2026-03-05T01:02:03Z'),
      retracted: 'It waits for ever when Attempts is 0.',
    },
    entryOf('v2.3.1', '2026-03-04T05:06:07Z'),
    entryOf('v2.3.0', '2026-01-15T12:00:00Z'),
    entryOf('v2.2.0-rc.1.0.20251201101112-0123456789ab', '2025-12-01T10:11:12Z'),
    entryOf('v2.1.0', '2025-11-02T08:00:00Z'),
  ],
  older: [],
  go: '1.22',
  requires: moduleVersion.requires,
  packages: moduleVersion.packages,
  licences: moduleVersion.licences,
  readme: 'README.md',
}

const files = ['again-linux-amd64.tar.gz', 'again-windows-amd64.zip', 'read me (first).txt', 'checksums'].map(
  (file, at) => ({ file, size: 4_812_345 * (at + 1), sha256: sha256(file), time: '2026-02-03T04:05:06Z' }),
)

/** A generic version whose names need escaping in addresses and in shells. */
export const genericVersion: GenericVersionFacts = {
  format: 1,
  kind: 'generic',
  owner: 'team',
  name: 'again',
  version: '1.4.0+build 7',
  time: '2026-02-03T04:05:06Z',
  size: files.reduce((sum, { size }) => sum + size, 0),
  files,
}

/** The package of {@link genericVersion}. */
export const genericIndex: GenericIndex = {
  format: 1,
  kind: 'generic',
  owner: 'team',
  name: 'again',
  latest: '1.4.0+build 7',
  updated: '2026-02-03T04:05:06Z',
  count: 3,
  versions: [
    { version: '1.4.0+build 7', time: '2026-02-03T04:05:06Z', size: genericVersion.size, files: 4 },
    { version: '1.3.9', time: '2025-12-24T18:00:00Z', size: 9_123_456, files: 2 },
    { version: 'nightly', time: '2026-02-02T02:02:02Z', size: 512, files: 1 },
  ],
  older: [],
}

const WORDS = ['retry', 'log', 'queue', 'vault', 'geo', 'mail', 'Auth', 'store', 'trace', 'pdf'] as const

/** A catalogue with so many entries, and the two packages above. */
export const catalogue = (count: number): CatalogueEntry[] => [
  {
    kind: 'go',
    name: moduleIndex.module,
    versions: 5,
    latest: 'v2.3.1',
    updated: moduleIndex.updated,
    synopsis: 'Package retry calls a function again until it succeeds.',
  },
  { kind: 'generic', name: 'again', versions: 3, latest: '1.4.0+build 7', updated: genericIndex.updated },
  ...Array.from({ length: count - 2 }, (_, at): CatalogueEntry => {
    const [word, other] = [WORDS[at % 10] ?? '', WORDS[Math.floor(at / 10) % 10] ?? '']
    return {
      kind: 'go',
      name: `go.corp.example/${word}/${other}${at}`,
      versions: (at % 40) + 1,
      latest: `v1.${at % 40}.0`,
      updated: `2025-0${(at % 9) + 1}-11T10:00:00Z`,
      synopsis: `Package ${other}${at} has what a ${word} needs of a ${other}.`,
      ...(at % 17 === 3 && { deprecated: true }),
    }
  }),
]
