// The sections of a module's page and of the page of a module version. A section that has nothing to say is not there.

import type {
  LicenceFacts,
  ModuleFacts,
  ModuleVersionFacts,
  PackageFacts,
  Requirement,
  Retraction,
} from './facts.js'
import { counted, nameOf, sizeOf } from './format.js'
import { lines, markup, trusted, type Content, type Markup } from './html.js'
import { metaLine, section } from './page.js'
import { ownerAddresses, type Site } from './page-addresses.js'
import { table, tableRow } from './version-list.js'

/** A section of a page, with its id and heading. No id begins with `readme-`: the headings of READMEs do. */
export type Section = { id: string; heading: string; content: Markup } | undefined

/** The sections that are there, after links to all of them. */
export function sectionsOf(sections: readonly Section[]): Markup {
  const there = sections.filter((each) => each !== undefined)
  return lines(
    markup`<div class="columns">`,
    markup`<nav class="contents" aria-label="On this page"><ul>`,
    there.map(({ id, heading }) => markup`<li><a href="#${id}">${heading}</a></li>`),
    markup`</ul></nav>`,
    markup`<div>`,
    there.map(({ id, heading, content }) => section(id, heading, content)),
    markup`</div>`,
    markup`</div>`,
  )
}

/** What readers must not overlook. `rationale` may be empty. */
export const notice = (title: string, rationale: string): Markup =>
  markup`<p class="notice"><strong>${title}</strong> ${rationale}</p>`

export const readmeSection = (readme: ModuleFacts['readme']): Section =>
  readme && {
    id: 'about',
    heading: readme.file,
    content: markup`<div class="readme">${trusted(readme.html)}</div>`,
  }

const packageItem = ({ path, name, synopsis }: PackageFacts): Markup =>
  lines(
    markup`<dt><code>${nameOf(path)}</code>${name === 'main' && markup` <span class="tag">command</span>`}</dt>`,
    markup`<dd>${synopsis ?? markup`<span class="meta">package ${nameOf(name)}</span>`}</dd>`,
  )

export function packagesSection(packages: readonly PackageFacts[] = []): Section {
  if (packages.length === 0) return undefined
  const content = lines(markup`<dl>`, packages.map(packageItem), markup`</dl>`)
  return { id: 'packages', heading: 'Packages', content }
}

const requirementTable = (caption: string, requires: readonly Requirement[]): Markup =>
  table(
    caption,
    ['Module', 'Version'],
    requires.map(({ path, version }) => tableRow(markup`<code>${nameOf(path)}</code>`, [nameOf(version)])),
  )

const indirectRequirements = (requires: readonly Requirement[]): Markup =>
  lines(
    markup`<details>`,
    markup`<summary>${counted(requires.length, 'indirect requirement')}</summary>`,
    requirementTable('What the requirements need', requires),
    markup`</details>`,
  )

export function requirementsSection(requires: readonly Requirement[] = []): Section {
  if (requires.length === 0) return undefined
  const direct = requires.filter(({ indirect }) => !indirect)
  const indirect = requires.filter((required) => required.indirect)
  const content = lines(
    direct.length > 0 && requirementTable('What the packages import', direct),
    indirect.length > 0 && indirectRequirements(indirect),
  )
  return { id: 'requirements', heading: 'Requirements', content }
}

export function goModSection(goMod: string | undefined): Section {
  if (goMod === undefined) return undefined
  return { id: 'go-mod', heading: 'go.mod', content: markup`<pre tabindex="0"><code>${goMod}</code></pre>` }
}

const licenceItem = ({ file, spdx }: LicenceFacts): Markup =>
  markup`<li><code>${nameOf(file)}</code>: ${spdx ?? 'not recognised'}</li>`

export function licencesSection(licences: readonly LicenceFacts[] = []): Section {
  if (licences.length === 0) return undefined
  const content = lines(markup`<ul>`, licences.map(licenceItem), markup`</ul>`)
  return { id: 'licences', heading: 'Licences', content }
}

type Hashes = Pick<ModuleVersionFacts, 'module' | 'version' | 'h1' | 'goModH1'>

/** The two lines for go.sum. */
export function goSumSection({ module, version, h1, goModH1 }: Hashes): Section {
  const text = `${module} ${version} ${h1}\n${module} ${version}/go.mod ${goModH1}`
  return { id: 'go-sum', heading: 'go.sum', content: markup`<pre class="wrap"><code>${text}</code></pre>` }
}

type Zip = Pick<ModuleVersionFacts, 'owner' | 'module' | 'version' | 'size' | 'sha256'>

export function filesSection(site: Site, { owner, module, version, size, sha256 }: Zip): Section {
  const { moduleFile } = ownerAddresses(site, owner)
  const link = (extension: 'zip' | 'mod' | 'info'): Markup =>
    markup`<a href="${moduleFile(module, version, extension)}">${nameOf(version)}.${extension}</a>`
  const content = lines(
    markup`<ul>`,
    markup`<li>${link('zip')}, ${sizeOf(size)}, SHA-256 <code class="hash">${sha256}</code></li>`,
    markup`<li>${link('mod')}</li>`,
    markup`<li>${link('info')}</li>`,
    markup`</ul>`,
  )
  return { id: 'files', heading: 'Files', content }
}

// {low: 'v1.0.0', high: 'v1.0.0'} → v1.0.0
const rangeOf = ({ low, high }: Retraction): Content =>
  low === high ? nameOf(low) : markup`${nameOf(low)} to ${nameOf(high)}`

const retractionItem = (range: Retraction): Markup =>
  markup`<li><strong>${rangeOf(range)}</strong>${range.rationale !== '' && `: ${range.rationale}`}</li>`

export function retractedSection(retracted: readonly Retraction[]): Section {
  if (retracted.length === 0) return undefined
  const content = lines(
    markup`<p>The author has taken these versions back. go chooses none of them by itself.</p>`,
    markup`<ul>`,
    retracted.map(retractionItem),
    markup`</ul>`,
  )
  return { id: 'retracted', heading: 'Retracted', content }
}

/** The line below the heading of a module: `first`, and what there is of the facts. */
export function summaryOf(
  first: readonly Content[],
  {
    go,
    licences = [],
    files,
  }: { go?: string | undefined; licences?: readonly LicenceFacts[]; files?: number },
): Markup {
  const known = licences.map(({ spdx }) => spdx).filter((spdx) => spdx !== undefined)
  return metaLine([
    ...first,
    go !== undefined && `go ${go}`,
    [...new Set(known)].join(', '),
    files !== undefined && counted(files, 'file'),
  ])
}

export const cutNote = (cut: true | undefined): Content =>
  cut && markup`<p class="note">There is more than this page shows. The module’s zip has all of it.</p>`
