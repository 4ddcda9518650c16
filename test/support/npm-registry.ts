// What the project depends on, as a registry of npm on loopback: made from what is installed in the clone. So a test can
// let npm install something and needs no network.

import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { ROOT } from './documents.js'
import { startScriptedServer } from './scripted-server.js'

type Installed = { dev?: boolean; devOptional?: boolean }
type Manifest = { name: string; version: string }

/** The folders of the packages that are installed with the project elsewhere, by the lock file. */
const folders = (): string[] => {
  const lock = JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8')) as {
    packages: Record<string, Installed>
  }
  return Object.entries(lock.packages)
    .filter(([path, { dev, devOptional }]) => path !== '' && !dev && !devOptional)
    .map(([path]) => join(ROOT, path))
}

/** Serves them until it is stopped. npm finds it by the setting `registry`. */
export async function startNpmRegistry() {
  const server = await startScriptedServer()
  const packages = new Map<string, Record<string, object>>()
  const latest = new Map<string, string>()
  const paths = folders()
  for (const [index, folder] of paths.entries()) {
    const manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Manifest
    const dist = { tarball: `${server.url}/-/${index}.tgz` }
    const versions = packages.get(manifest.name) ?? {}
    packages.set(manifest.name, { ...versions, [manifest.version]: { ...manifest, dist } })
    latest.set(manifest.name, manifest.version)
  }
  server.handle = ({ url = '' }, res) => {
    const [, index] = /^\/-\/(\d+)\.tgz$/.exec(url) ?? []
    const folder = index === undefined ? undefined : paths[Number(index)]
    if (folder !== undefined) {
      const options = ['--exclude=./node_modules', '--transform=s,^\\.,package,']
      res.end(execFileSync('tar', ['-C', folder, '-czf', '-', ...options, '.'], { maxBuffer: 2 ** 28 }))
      return
    }
    const name = decodeURIComponent(url.slice(1))
    const versions = packages.get(name)
    if (!versions) {
      res.writeHead(404).end('{}')
      return
    }
    res.writeHead(200, { 'content-type': 'application/json' })
    res.end(JSON.stringify({ name, 'dist-tags': { latest: latest.get(name) }, versions }))
  }
  return { url: server.url, stop: () => server.stop() }
}
