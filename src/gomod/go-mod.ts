// What a go.mod states, as go reads it in a dependency: golang.org/x/mod/modfile ParseLax without a version fixer, as
// in cmd/go/internal/modload rawGoModSummary. Directives that only count in the main module are passed over.

import { goLineVersion } from './modfile.js'
import { statementsOf, type ModLine, type ModStatement } from './modfile-syntax.js'
import { MalformedGoMod } from './modfile-tokens.js'
import { checkPathMajor } from './module-path.js'
import { canonicalVersion } from './semver.js'
import { fields, trimSpace } from './spaces.js'
import { unquote } from './unquote.js'

/**
 * `toolchain` is what a main module would take: ParseLax passes it over. A retraction takes back `low` to `high`, both
 * included; its `rationale` may be empty.
 */
type GoMod = {
  module?: string
  deprecated?: string
  go?: string
  toolchain?: string
  requires: { path: string; version: string; indirect?: true }[]
  retracts: { low: string; high: string; rationale: string }[]
}

/** The directives whose blocks have a meaning here. ParseLax passes over blocks of `go` and `toolchain`. */
const IN_BLOCKS = ['module', 'require', 'retract', 'ignore']

/** Reads a go.mod; `undefined` when go refuses it. Takes time in proportion to the length of the text. */
export function readGoMod(text: string): GoMod | undefined {
  const found: GoMod = { requires: [], retracts: [] }
  try {
    for (const statement of statementsOf(text)) addStatement(found, statement)
  } catch (error) {
    if (error instanceof MalformedGoMod) return undefined
    throw error
  }
  return found
}

function addStatement(found: GoMod, statement: ModStatement): void {
  const [verb = '', ...args] = statement.words
  if (!statement.lines) return add(found, verb, args, statement, () => commentText(statement))
  if (args.length > 0 || !IN_BLOCKS.includes(verb)) return
  let ofBlock: string | undefined // one text for all lines that have no comment
  for (const line of statement.lines) {
    const isBare = line.before.length === 0 && line.suffix === undefined
    add(found, verb, line.words, line, () =>
      isBare ? (ofBlock ??= commentText(statement)) : commentText(line),
    )
  }
}

function add(found: GoMod, verb: string, args: string[], line: ModLine, comment: () => string): void {
  if (verb === 'module') addModule(found, args, comment())
  else if (verb === 'go') addGo(found, args)
  else if (verb === 'toolchain') addToolchain(found, args)
  else if (verb === 'require') found.requires.push(requirementOf(args, line))
  else if (verb === 'ignore') mustBeIgnore(args)
  else if (verb === 'retract') {
    const versions = intervalOf(args)
    if (versions) found.retracts.push({ ...versions, rationale: comment() })
  }
}

// modfile parseDirectiveComment
function commentText({ before, suffix }: ModLine): string {
  const comments = suffix === undefined ? before : [...before, suffix]
  return comments
    .filter((comment) => comment !== '') // blank lines of a block
    .map((comment) => trimSpace(comment.slice(2)))
    .join('\n')
}

// modfile deprecatedRE
const DEPRECATED = /(?:^|\n\n)Deprecated: *([^]*?)(?:$|\n\n)/

function addModule(found: GoMod, args: string[], comment: string): void {
  if (found.module !== undefined || args.length !== 1) throw new MalformedGoMod('not one module path')
  found.module = stringOf(args[0] ?? '')
  const deprecated = DEPRECATED.exec(comment)?.[1] ?? ''
  if (deprecated !== '') found.deprecated = deprecated
}

function addGo(found: GoMod, args: string[]): void {
  const version = goLineVersion(args[0] ?? '')
  if (found.go !== undefined || args.length !== 1 || version === undefined)
    throw new MalformedGoMod('not one go version')
  found.go = version
}

// modfile ToolchainRE. What a main module would refuse is passed over.
function addToolchain(found: GoMod, args: string[]): void {
  const [name = ''] = args
  if (args.length === 1 && /^(?:default$|go1(?:$|\.))/.test(name)) found.toolchain ??= name
}

function requirementOf(args: string[], { suffix }: ModLine): GoMod['requires'][number] {
  if (args.length !== 2) throw new MalformedGoMod('a requirement is a path and a version')
  const path = stringOf(args[0] ?? '')
  const version = canonicalVersion(stringOf(args[1] ?? ''))
  if (version === undefined || checkPathMajor(path, version) !== undefined)
    throw new MalformedGoMod('a requirement of a version that its path cannot have')
  return { path, version, ...(isIndirect(suffix) && { indirect: true as const }) }
}

// modfile isIndirect
function isIndirect(suffix = ''): boolean {
  const [first, ...more] = fields(suffix.slice(2))
  return more.length === 0 ? first === 'indirect' : first === 'indirect;'
}

function mustBeIgnore(args: string[]): void {
  if (args.length !== 1) throw new MalformedGoMod('ignore takes one path')
  stringOf(args[0] ?? '')
}

// modfile parseString
function stringOf(word: string): string {
  const text = word.startsWith('"') ? unquote(word) : /["'`]/.test(word) ? undefined : word
  if (text === undefined) throw new MalformedGoMod('a quoted string that go cannot read')
  return text
}

function versionOf(word: string | undefined): string | undefined {
  if (word === undefined) return undefined
  try {
    return canonicalVersion(stringOf(word))
  } catch (error) {
    if (error instanceof MalformedGoMod) return undefined
    throw error
  }
}

/**
 * modfile parseVersionInterval: `v1.0.0` or `[v1.0.0, v1.2.0]`; what follows is for later versions of go. go takes any
 * word for a bound, and compares it as a version. One that is no version is passed over here.
 */
function intervalOf(args: string[]): { low: string; high: string } | undefined {
  const isRange = args[0] === '['
  if (isRange && (args[2] !== ',' || args[4] !== ']')) return undefined
  const low = versionOf(isRange ? args[1] : args[0])
  const high = isRange ? versionOf(args[3]) : low
  return low === undefined || high === undefined ? undefined : { low, high }
}
