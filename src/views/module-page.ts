// The page of a module and the page of a module version.

import { getCommands } from './commands.js'
import type { ModuleIndex, ModuleVersionFacts, VersionEntry } from './facts.js'
import { counted, dayOf, nameOf, sizeOf } from './format.js'
import { lines, markup, type Markup } from './html.js'
import {
  cutNote,
  filesSection,
  goModSection,
  goSumSection,
  licencesSection,
  notice,
  packagesSection,
  readmeSection,
  requirementsSection,
  retractedSection,
  sectionsOf,
  summaryOf,
  type Section,
} from './module-sections.js'
import { documentOf, ofOwner } from './page.js'
import { ownerAddresses, type Site } from './page-addresses.js'
import { tableRow, versionList } from './version-list.js'

/** What the highest version says of a version: the message of the deprecation, the rationale of the retraction. */
type VersionNotices = { deprecated?: string | undefined; retracted?: string | undefined }

const noticesOn = (version: string, { deprecated, retracted }: VersionNotices): Markup =>
  lines(
    deprecated !== undefined && notice('This module is deprecated.', deprecated),
    retracted !== undefined && notice(`${version} is retracted: its author has taken it back.`, retracted),
  )

function versionCell(index: ModuleIndex, site: Site, { version, retracted }: VersionEntry): Markup {
  const href = ownerAddresses(site, index.owner).moduleVersion(index.module, version)
  return lines(
    markup`<a href="${href}">${nameOf(version)}</a>`,
    version === index.latest && markup`<span class="tag">latest</span>`,
    retracted !== undefined && markup`<strong class="tag bad">retracted</strong>`,
    retracted && markup`<span class="why">${retracted}</span>`,
  )
}

function versionsSection(index: ModuleIndex, site: Site): Section {
  const { owner, module, versions, older } = index
  const { list, moduleVersion } = ownerAddresses(site, owner)
  const content = versionList({
    versions,
    older,
    captions: { all: 'All versions, the highest first', first: 'The highest versions' },
    columns: ['Version', 'Published', 'Size'],
    row: (entry) => tableRow(versionCell(index, site, entry), [dayOf(entry.time), sizeOf(entry.size)]),
    href: (version) => moduleVersion(module, version),
    all: { text: 'The list', href: list(module) },
  })
  return { id: 'versions', heading: 'Versions', content }
}

function moduleSections(index: ModuleIndex, latest: ModuleVersionFacts | undefined, site: Site): Section[] {
  const { owner, module } = index
  const { licences, packages, requires } = latest ?? index
  const entry = index.versions.find(({ version }) => version === index.latest)
  const zip = entry && { owner, module, ...entry }
  const commands = getCommands(site, { owner, module, version: index.latest, packages })
  return [
    { id: 'get', heading: 'Get it', content: commands },
    readmeSection(latest?.readme),
    packagesSection(packages),
    versionsSection(index, site),
    retractedSection(index.retracted),
    requirementsSection(requires),
    goModSection(latest?.goMod),
    licencesSection(licences),
    zip && goSumSection(zip),
    zip && filesSection(site, zip),
  ]
}

/**
 * `/{owner}/go/{!module}`: the latest version, and all versions. Without the facts of the latest version the page has
 * what the index says of it.
 */
export function modulePage(index: ModuleIndex, latest: ModuleVersionFacts | undefined, site: Site): string {
  const { owner, module, deprecated } = index
  const { crumb, feed } = ofOwner(site, owner)
  const { moduleVersion, moduleIndex } = ownerAddresses(site, owner)
  const entry = index.versions.find(({ version }) => version === index.latest)
  const { go, licences = [], cut } = latest ?? index
  const summary = [
    markup`latest <a href="${moduleVersion(module, index.latest)}">${nameOf(index.latest)}</a>`,
    entry && markup`published ${dayOf(entry.time)}`,
    counted(index.count, 'version'),
  ]
  const body = lines(
    markup`<h1>${nameOf(module)}</h1>`,
    summaryOf(summary, { go, licences }),
    noticesOn(index.latest, { deprecated, retracted: entry?.retracted }),
    sectionsOf(moduleSections(index, latest, site)),
    cutNote(cut),
  )
  const links = [{ text: 'This module as JSON', href: moduleIndex(module) }]
  return documentOf({ site, title: module, crumbs: [crumb, { text: nameOf(module) }], body, links, feed })
}

function versionSections(facts: ModuleVersionFacts, site: Site): Section[] {
  return [
    { id: 'get', heading: 'Get this version', content: getCommands(site, facts) },
    readmeSection(facts.readme),
    packagesSection(facts.packages),
    requirementsSection(facts.requires),
    goModSection(facts.goMod),
    licencesSection(facts.licences),
    goSumSection(facts),
    filesSection(site, facts),
  ]
}

/** `/{owner}/go/{!module}@{!version}`: what this version says of itself, and what the highest one says of it. */
export function moduleVersionPage(facts: ModuleVersionFacts, notices: VersionNotices, site: Site): string {
  const { owner, module, version } = facts
  const { crumb, feed } = ofOwner(site, owner)
  const addresses = ownerAddresses(site, owner)
  const modulePath = { text: nameOf(module), href: addresses.module(module) }
  const body = lines(
    markup`<h1>${nameOf(module)} <span class="version">${nameOf(version)}</span></h1>`,
    summaryOf([markup`published ${dayOf(facts.time)}`, sizeOf(facts.size)], facts),
    noticesOn(version, notices),
    markup`<p><a href="${modulePath.href}">The latest version and all others</a></p>`,
    sectionsOf(versionSections(facts, site)),
    cutNote(facts.cut),
  )
  const crumbs = [crumb, modulePath, { text: nameOf(version) }]
  const links = [{ text: 'This version as JSON', href: addresses.moduleFacts(module, version) }]
  return documentOf({ site, title: `${module} ${version}`, crumbs, body, links, feed })
}
