// The commands that a page shows, to be copied into a shell.

import type { FileFacts, GenericVersionFacts, PackageFacts } from './facts.js'
import { counted } from './format.js'
import { joined, lines, markup, type Content, type Markup } from './html.js'
import { importPrefixOf, ownerAddresses, type Site } from './page-addresses.js'

/** Lines of `go install` that are shown. A module may have hundreds of commands. */
const MAX_INSTALL_LINES = 5
/** Lines of `curl` that are shown. */
const MAX_CURL_LINES = 20

/** Commands to copy, one a line. */
const command = (...commands: readonly Content[]): Markup =>
  markup`<div class="command"><pre><code>${joined(commands, '\n')}</code></pre></div>`

/** The server's address: a variable where it is not known. The script puts the address of the page in its place. */
const serverOf = ({ publicUrl }: Site): Content =>
  // A path of the public address is in each address that follows.
  publicUrl === undefined ? markup`<span data-plinth>$PLINTH</span>` : new URL(publicUrl).origin

const EXAMPLE = markup`<code>https://plinth.example.com</code>`

const placeholderNote = ({ publicUrl }: Site): Content =>
  publicUrl === undefined &&
  markup`<p class="note" data-plinth-note><code>$PLINTH</code> is this server’s address, such as ${EXAMPLE}.</p>`

// In double quotes an interactive shell takes `!` for a word of its history.
const inQuotes = (site: Site, path: string): Markup =>
  markup`"${serverOf(site)}${path.replaceAll('!', '%21')}"`

/** The settings with which go asks this server for modules of the owner, and no checksum database for this one. */
const goSettings = (site: Site, owner: string, module: string): Content[] => [
  markup`export GOPROXY="${serverOf(site)}${ownerAddresses(site, owner).registry},$(go env GOPROXY)"`,
  markup`export GONOSUMDB=${module}`,
]

/** A version to get, and its packages as far as they are known. */
type Getting = {
  owner: string
  module: string
  version: string
  packages?: readonly PackageFacts[] | undefined
}

/** How to get a module: with GOPRIVATE alone when its path leads go to this server, else with GOPROXY. */
export function getCommands(site: Site, { owner, module, version, packages = [] }: Getting): Markup {
  const programs = packages.filter(({ name }) => name === 'main').slice(0, MAX_INSTALL_LINES)
  const getting = [
    `go get ${module}@${version}`,
    ...programs.map(({ path }) => `go install ${path}@${version}`),
  ]
  const throughProxy = lines(command(...goSettings(site, owner, module), ...getting), placeholderNote(site))
  const prefix = importPrefixOf(site, owner, module)
  if (prefix === undefined) return throughProxy
  return lines(
    command(...getting.map((line) => `GOPRIVATE=${prefix} ${line}`)),
    markup`<details>`,
    markup`<summary>Through GOPROXY instead</summary>`,
    throughProxy,
    markup`</details>`,
  )
}

// 'it’s' in single quotes: each quote of its own ends them, stands escaped, and begins them again
const quoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`

// -O would save `na%20me` under that name.
function curlLine(site: Site, { owner, name, version }: GenericVersionFacts, { file }: FileFacts): Markup {
  const address = inQuotes(site, ownerAddresses(site, owner).genericFile(name, version, file))
  const isPlain = /^[A-Za-z0-9._][A-Za-z0-9._-]*$/.test(file)
  return isPlain ? markup`curl -fO ${address}` : markup`curl -fo ${quoted(`./${file}`)} ${address}`
}

/** How to fetch the files of a version, and how to check what was fetched. */
export function fetchCommands(site: Site, facts: GenericVersionFacts): Markup {
  const { owner, name, version, files } = facts
  const left = files.length - MAX_CURL_LINES
  const sums = inQuotes(site, ownerAddresses(site, owner).sums(name, version))
  return lines(
    command(...files.slice(0, MAX_CURL_LINES).map((file) => curlLine(site, facts, file))),
    left > 0 && markup`<p class="note">In the same way: ${counted(left, 'other file')}.</p>`,
    markup`<p>Check what was fetched:</p>`,
    command(markup`curl -f ${sums} | sha256sum -c --ignore-missing`),
    placeholderNote(site),
  )
}

/** How to fetch a file of the latest version, whichever that is by then. */
export const latestCommands = (site: Site, owner: string, name: string): Markup =>
  lines(
    command(markup`curl -fO ${inQuotes(site, ownerAddresses(site, owner).latestFile(name, 'FILE'))}`),
    markup`<p class="note"><code>FILE</code> stands for the name of a file.</p>`,
    placeholderNote(site),
  )
