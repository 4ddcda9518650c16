// Which toolchain go switches to for a project, and the module version by which a proxy has it
// (go.dev/doc/toolchain#select). Pure.

/** The module whose versions are toolchains. */
export const TOOLCHAIN_MODULE = 'golang.org/toolchain'

/** `go` and `toolchain` lines of a go.mod or go.work: `1.25`, `go1.25.5`. */
type GoLines = { go?: string | undefined; toolchain?: string | undefined }

/** Whoever switches at all has this one, or a newer one. */
const FIRST_TO_SWITCH = parts('1.21.0')

// '1.25rc1' → [1, 25, -1, 1]; '1.25' → [1, 25, -3, 0]; '1.25.0' → [1, 25, 0, 0]
function parts(version: string): number[] | undefined {
  const found = /^(\d+)\.(\d+)(?:\.(\d+)|(beta|rc)(\d+))?$/.exec(version)
  if (!found) return undefined
  const [, major, minor, patch, kind, nth] = found
  const third = patch !== undefined ? Number(patch) : kind === 'rc' ? -1 : kind === 'beta' ? -2 : -3
  return [Number(major), Number(minor), third, Number(nth ?? 0)]
}

function isNewer(a: readonly number[], b: readonly number[]): boolean {
  const at = a.findIndex((part, index) => part !== b[index])
  return at >= 0 && (a[at] ?? 0) > (b[at] ?? 0)
}

// cmd/go/internal/toolchain Select: no toolchain has the name of a language version from 1.21 on
const released = (version: string): string => (/^\d+\.\d+$/.test(version) ? `${version}.0` : version)

// {go: '1.24', toolchain: 'go1.25.5'} → go1.25.5; {go: '1.24'} → go1.24.0; {go: '1.20'} → undefined
/**
 * The name of the toolchain that go switches to when its own is older; `undefined` when every go that can switch is
 * new enough. Throws for a `toolchain` line that names none that a proxy has.
 */
export function toolchainFor({ go, toolchain }: GoLines): string | undefined {
  const names = [
    ...(go === undefined ? [] : [released(go)]),
    ...(toolchain === undefined || toolchain === 'default' ? [] : [toolchain.replace(/^go/, '')]),
  ]
  let newest: { name: string; is: number[] } | undefined
  for (const name of names) {
    const is = parts(name)
    if (!is) throw new Error(`no proxy has the toolchain go${name}`)
    if (FIRST_TO_SWITCH && !isNewer(is, FIRST_TO_SWITCH)) continue
    if (!newest || isNewer(is, newest.is)) newest = { name, is }
  }
  return newest && `go${newest.name}`
}

// ('go1.25.5', 'linux/amd64') → v0.0.1-go1.25.5.linux-amd64
export const toolchainVersion = (toolchain: string, platform: string): string =>
  `v0.0.1-${toolchain}.${platform.replace('/', '-')}`
