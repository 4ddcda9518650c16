// Takes what a module zip says of itself while its contents are checked, so that nothing is read twice. It holds the
// beginning of one file at a time, the README so far, and the results, which are bounded.

import type { LicenceFacts, ModuleFacts } from '../views/facts.js'
import { isLicenceFile, spdxOf } from '../views/licences.js'
import { factsText } from '../views/module-facts.js'
import { readmeRank } from '../views/readme.js'
import { isPackageSource, PackageList } from './package-list.js'
import { readmeHtml } from './readme-html.js'
import { TextStart } from './text-start.js'

/** Bytes of a source file in which its package clause is looked for. */
const SOURCE_BYTES = 64 * 1024
/** A longer text is no licence that we know. */
const LICENCE_BYTES = 256 * 1024
/** Bytes of a README that are shown. */
const README_BYTES = 512 * 1024

/** Takes the content of one file, and keeps what it says when {@link end} is called. */
type FileTaker = { take: (piece: Buffer) => void; end: () => void }

/** What only the whole zip tells. `goMod` is the text of the go.mod, `undefined` when it is too long. */
type OfZip = Pick<ModuleFacts, 'h1' | 'goModH1' | 'files'> & { goMod: string | undefined }

export class FactsTaker {
  readonly #packages: PackageList
  readonly #licences: LicenceFacts[] = []
  /** The most preferred README so far. */
  #readme: { file: string; rank: number; start: TextStart } | undefined

  /** `module` is the module's path. */
  constructor(module: string) {
    this.#packages = new PackageList(module)
  }

  /** For the file at `path` below the module's root; `undefined` when nothing is taken of it. */
  takerOf(path: string): FileTaker | undefined {
    if (isPackageSource(path)) return takerOf(SOURCE_BYTES, (start) => this.#packages.add(path, start.text))
    if (path.includes('/')) return undefined
    if (isLicenceFile(path)) return takerOf(LICENCE_BYTES, (start) => this.#addLicence(path, start))
    const rank = readmeRank(path)
    if (rank === undefined || !this.#isPreferred(path, rank)) return undefined
    return takerOf(README_BYTES, (start) => {
      if (!start.text.includes('\0')) this.#readme = { file: path, rank, start } // README.png is none
    })
  }

  /** The JSON text of the zip's ModuleFacts. How the README is shown: see {@link readmeHtml}. */
  text(zip: OfZip, how: { plain: boolean; images: boolean }): string {
    const { packages, isCut } = this.#packages.list()
    const readmeText = this.#readme?.start.text ?? ''
    const file = this.#readme?.file
    return factsText({
      ...zip,
      packages,
      licences: this.#licences.toSorted((a, b) => (a.file < b.file ? -1 : 1)),
      ...(file !== undefined && { readme: { file, html: readmeHtml(file, readmeText, how) } }),
      readmeText,
      isCut: isCut || this.#readme?.start.isWhole === false,
    })
  }

  #addLicence(file: string, { text, isWhole }: TextStart): void {
    const spdx = isWhole ? spdxOf(text) : undefined
    this.#licences.push({ file, ...(spdx !== undefined && { spdx }) })
  }

  #isPreferred(file: string, rank: number): boolean {
    const before = this.#readme
    return !before || rank < before.rank || (rank === before.rank && file < before.file)
  }
}

function takerOf(bytes: number, use: (start: TextStart) => void): FileTaker {
  const start = new TextStart(bytes)
  return { take: (piece) => start.take(piece), end: () => use(start) }
}
