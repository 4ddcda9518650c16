// The JSON text of what a module zip says of itself. It is bounded: of each field so much is kept, and `cut` tells when
// that is not all.

import { readGoMod } from '../gomod/go-mod.js'
import type { LicenceFacts, ModuleFacts, PackageFacts } from './facts.js'
import { plainHtml } from './readme.js'

// Bytes of JSON text. The sum of them is less than 1.5 MiB.
const MOST_REQUIRES = 192 * 1024
const MOST_RETRACTS = 128 * 1024
const MOST_PACKAGES = 320 * 1024
const MOST_LICENCES = 32 * 1024
const MOST_GO_MOD = 64 * 1024
const MOST_README = 768 * 1024

/** Characters of a text that an author writes on a version: a deprecation, a rationale. */
const MOST_CHARS = 1000
/** Characters of a `go` or `toolchain` line. */
const MOST_WORD = 100

/**
 * What was read of a zip. `goMod` is the text of the go.mod, `undefined` when it is too long to be read. `isCut` tells
 * that something else was too much to be read.
 */
type ZipContents = Pick<ModuleFacts, 'h1' | 'goModH1' | 'files' | 'readme'> & {
  goMod: string | undefined
  packages: readonly PackageFacts[]
  licences: readonly LicenceFacts[]
  /** The text of the README. It is shown as it is when its HTML is too long. */
  readmeText: string
  isCut: boolean
}

const jsonBytes = (value: unknown): number => Buffer.byteLength(JSON.stringify(value))

/** Keeps the parts of the facts within their bounds, and remembers whether something was cut. */
class Cutter {
  isCut: boolean

  constructor(isCut: boolean) {
    this.isCut = isCut
  }

  /** The first items, as many as have at most `most` bytes of JSON text. */
  list<T>(items: readonly T[], most: number): T[] {
    const kept: T[] = []
    let bytes = 0
    for (const item of items) {
      bytes += jsonBytes(item) + 1
      if (bytes > most) break
      kept.push(item)
    }
    this.isCut ||= kept.length < items.length
    return kept
  }

  /** The beginning of a text: at most `most` characters, with an ellipsis where it was cut. */
  text(text: string, most = MOST_CHARS): string {
    const cut = shortened(text, most)
    this.isCut ||= cut !== text
    return cut
  }

  word(word: string | undefined): string | undefined {
    if (word === undefined || word.length <= MOST_WORD) return word
    this.isCut = true
    return undefined
  }

  readme({ readme, readmeText }: ZipContents): ModuleFacts['readme'] {
    if (!readme || jsonBytes(readme) <= MOST_README) return readme
    this.isCut = true
    // a character has at most eight bytes, as an entity or an escape
    return { file: readme.file, html: plainHtml(shortened(readmeText, Math.floor(MOST_README / 8) - 1000)) }
  }
}

/** The beginning of a text. No character is cut into halves. */
export function shortened(text: string, most: number): string {
  if (text.length <= most) return text
  return `${text.slice(0, most - 1).replace(/[\ud800-\udbff]$/, '')}…`
}

/** The JSON text of a zip's {@link ModuleFacts}, in the order of its type. */
export function factsText(contents: ZipContents): string {
  const { h1, goModH1, files, goMod, licences } = contents
  const cutter = new Cutter(contents.isCut || goMod === undefined)
  const { go, toolchain, deprecated, requires = [], retracts = [] } = readGoMod(goMod ?? '') ?? {}
  const facts = {
    h1,
    goModH1,
    files,
    go: cutter.word(go),
    toolchain: cutter.word(toolchain),
    deprecated: deprecated === undefined ? undefined : cutter.text(deprecated),
    retracts: cutter.list(
      retracts.map((retract) => ({ ...retract, rationale: cutter.text(retract.rationale) })),
      MOST_RETRACTS,
    ),
    requires: cutter.list(requires, MOST_REQUIRES),
    packages: cutter.list(contents.packages, MOST_PACKAGES),
    licences: cutter.list(licences, MOST_LICENCES),
    goMod: goMod === undefined || jsonBytes(goMod) > MOST_GO_MOD ? undefined : goMod,
    readme: cutter.readme(contents),
  } satisfies Partial<Record<keyof ModuleFacts, unknown>>
  return JSON.stringify(cutter.isCut ? { ...facts, cut: true } : facts)
}
