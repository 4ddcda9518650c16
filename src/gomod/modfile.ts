// Reads the `module` and `go` lines of a go.mod (go.dev/ref/mod#go-mod-file-grammar).

// A raw string or an interpreted one. A module path needs no escapes, so a string with escapes is not read.
const unquote = (text: string): string | undefined =>
  /^`[^`]*`$/.test(text) || /^"[^"\\]*"$/.test(text)
    ? text.slice(1, -1)
    : /["`]/.test(text)
      ? undefined
      : text

/** Yields the words of each line without its comment; lines without words are skipped. */
function* linesOf(goMod: string): Generator<string[]> {
  for (let start = goMod.startsWith('\ufeff') ? 1 : 0, end = 0; end >= 0; start = end + 1) {
    end = goMod.indexOf('\n', start) // one line at a time: a hostile go.mod has millions of them
    const rawLine = end < 0 ? goMod.slice(start) : goMod.slice(start, end)
    const comment = rawLine.indexOf('//')
    const words = (comment < 0 ? rawLine : rawLine.slice(0, comment))
      .trim()
      .split(/\s+/)
      .filter((word) => word !== '')
    if (words.length > 0) yield words
  }
}

/**
 * The path of the `module` directive, or `undefined` when there is none that can be read.
 * Reads both spellings, `module example.com/m` and `module (⏎ example.com/m⏎)`, quoted or not.
 */
export function modulePathOf(goMod: string): string | undefined {
  let block = false
  for (const words of linesOf(goMod)) {
    if (block && words.length === 1 && words[0] !== ')') return unquote(words[0] ?? '')
    if (words[0] === 'module' && words.length === 2 && words[1] === '(') block = true
    else if (words[0]?.startsWith('module(') && words.length === 1) block = words[0] === 'module('
    else if (words[0] === 'module' && words.length === 2) return unquote(words[1] ?? '')
  }
  return undefined
}

// x/mod/modfile GoVersionRE and laxGoVersionRE
const GO_VERSION = /^[1-9][0-9]*\.(?:0|[1-9][0-9]*)(?:\.(?:0|[1-9][0-9]*))?(?:[a-z]+[0-9]+)?$/
const LAX_GO_VERSION = /^v?([1-9][0-9]*\.(?:0|[1-9][0-9]*))[^0-9].*$/

// 'v1.21.x' → 1.21
/** The version that ParseLax takes the word of a `go` line for; `undefined` when it can read none. */
export const goLineVersion = (word: string): string | undefined =>
  GO_VERSION.test(word) ? word : LAX_GO_VERSION.exec(word)?.[1]

/**
 * The version of the `go` line, `1.21` or `1.23.4` or `1.24rc1`, as modfile.ParseLax reads it in a dependency's go.mod.
 * `undefined` when there is no such line, more than one, or one that go cannot read.
 */
export function goVersionOf(goMod: string): string | undefined {
  let block = false
  let found: string | undefined
  for (const words of linesOf(goMod)) {
    if (block) block = words[0] !== ')'
    else if (words.at(-1)?.endsWith('(')) block = true
    else if (words[0] === 'go') {
      const version = goLineVersion(words[1] ?? '')
      if (words.length !== 2 || version === undefined || found !== undefined) return undefined
      found = version
    }
  }
  return found
}

// go/version.Lang and Compare: a patch release has no rc, numbers have no leading zero, and any other text is below all
// versions.
/** Whether a `go` line's version is of the language version `major.minor` or a later one. */
export function isGoAtLeast(version: string | undefined, major: number, minor: number): boolean {
  const match = /^([1-9][0-9]*)\.(0|[1-9][0-9]*)(?:\.(?:0|[1-9][0-9]*)|[a-z]+(?:0|[1-9][0-9]*))?$/.exec(
    version ?? '',
  )
  const [, ours = 0, theirs = 0] = (match ?? []).map(Number)
  return ours > major || (ours === major && theirs >= minor)
}

// 'example.com/m' → module example.com/m⏎
/** The go.mod that go makes up for a module without one. The newline counts in its hash. */
export const syntheticMod = (module: string): string => `module ${module}\n`
