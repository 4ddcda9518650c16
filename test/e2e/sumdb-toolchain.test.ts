// Another toolchain with Plinth alone: its zip is imported under an owner with a checksum database, and go switches to it
// by itself. go insists on a database for that.

import { existsSync, linkSync, mkdirSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import t from 'tap'
import { goAtHome } from '../support/go.js'
import { nameHosts } from '../support/named-hosts.js'
import { startPlinth } from '../support/plinth.js'
import { needs } from '../support/programs.js'
import { enableDatabase } from '../support/sumdb.js'
import { tempFolder } from '../support/temp-folder.js'
import { anyToolchain } from '../support/toolchains.js'

const [OLD, WANTED] = ['go1.21.13', 'go1.24.13']

const [old, wanted] = [anyToolchain(OLD), anyToolchain(WANTED)]
/** toolchain@v0.0.1-go1.24.13.linux-amd64, in the cache from which the tests have it */
const root = dirname(wanted.bin)
const version = basename(root).replace('toolchain@', '')
const zip = join(dirname(root), '../cache/download/golang.org/toolchain/@v', `${version}.zip`)
const noZip = existsSync(zip) ? false : `NOT TESTED: the zip of ${WANTED} cannot be had here`
const skip = needs('nginx', 'go').skip ?? (old.skip || wanted.skip || noZip)

t.test('go switches to a toolchain that Plinth has', { skip }, async (t) => {
  const plinth = await startPlinth()
  t.teardown(plinth.stop)
  const nobody = await nameHosts({})
  t.teardown(nobody.stop)
  const cache = tempFolder()
  const folder = join(cache, 'golang.org/toolchain/@v')
  mkdirSync(folder, { recursive: true })
  linkSync(zip, join(folder, `${version}.zip`))
  const { gosumdb, goproxy } = enableDatabase(plinth, 'team', 'sum.corp.example/team')
  t.match(plinth.cli('import', cache, '--owner', 'team'), /1 published/)

  const switching = async (env: Record<string, string>) => {
    const go = goAtHome(old.bin, '', {
      GOFLAGS: '-modcacherw',
      ...nobody.env,
      NO_PROXY: '127.0.0.1',
      GOTOOLCHAIN: 'auto',
      GOPROXY: goproxy,
      GOSUMDB: gosumdb,
      ...env,
    })
    const main = go.newModule()
    writeFileSync(join(main, 'go.mod'), `module example.org/main\n\ngo ${WANTED.slice(2)}\n`)
    return go.run(['version'], main)
  }
  const refused = await switching({ GOSUMDB: 'off' })
  t.not(refused.code, 0)
  t.match(refused.stderr, /checksum database disabled by GOSUMDB=off/)
  const switched = await switching({})
  t.equal(switched.code, 0, switched.stderr)
  t.match(switched.stdout, `go version ${WANTED} `)
  t.match(switched.stderr, `go: downloading ${WANTED} `)
  t.same(nobody.askedFor(), [], 'nobody else is asked')
})
