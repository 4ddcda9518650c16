// A Ceph of the suite's own: a monitor, a manager, one OSD on a file, two metadata servers, one file system. All of its
// files are below one folder, and its processes end with the suite's pid namespace.

import { execFile, execFileSync, spawn, type ChildProcess } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { mkdirSync, openSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { block, MANUAL } from '../support/documents.js'
import { NETWORKS, storageAddress, type Machine } from './machine.js'
import { untilWithin } from './within.js'

const run = promisify(execFile)

/** How long a client may be silent before it is shut out, in seconds. Ceph 16 refuses less. */
export const SESSION_SECONDS = 30
/** Bytes of the OSD's file, which is sparse. */
const OSD_BYTES = 8 * 2 ** 30
const METADATA_SERVERS = ['a', 'b'] as const
/** The gateway, which speaks the API of S3. */
const GATEWAY = 'rgw.g'
const GATEWAY_PORT = 7480
/** The keys of the one user that it has. */
const GATEWAY_KEYS = { access: 'plinth', secret: 'secret-of-a-test' } as const

// One copy of everything is enough for a file system of an hour. Memory is what Ceph takes at least. The rest is what the
// manual advises; `settings` rule over it.
const confOf = (folder: string, fsid: string, settings: readonly string[]): string => `[global]
fsid = ${fsid}
mon_initial_members = m
mon_host = v2:${storageAddress}:3300
public_network = ${NETWORKS.store}.0/24
auth_cluster_required = cephx
auth_service_required = cephx
auth_client_required = cephx
auth_allow_insecure_global_id_reclaim = false
keyring = ${folder}/keyring
run_dir = ${folder}/run
admin_socket = ${folder}/run/$name.$pid.asok
pid_file =
log_file = ${folder}/log/$name.log
mon_cluster_log_file = ${folder}/log/cluster.log
crash_dir = ${folder}/crash
mon_data = ${folder}/mon
mgr_data = ${folder}/mgr
osd_data = ${folder}/osd
osd_pool_default_size = 1
osd_pool_default_min_size = 1
osd_pool_default_pg_autoscale_mode = off
osd_crush_chooseleaf_type = 0
mon_allow_pool_size_one = true
mon_warn_on_pool_no_redundancy = false
mon_data_avail_warn = 2
mon_data_avail_crit = 1
bluestore_block_size = ${OSD_BYTES}
bluestore_cache_autotune = false
bluestore_cache_size = ${128 * 2 ** 20}
osd_memory_target = ${896 * 2 ** 20}
osd_pool_default_pg_num = 8
${settings.join('\n')}

${advised(settings)}
[client.${GATEWAY}]
rgw_frontends = beast endpoint=${storageAddress}:${GATEWAY_PORT}
`

/** What the manual advises, without what is set by `settings`: a section's own settings rule over those of all. */
function advised(settings: readonly string[]): string {
  const names = settings.map((setting) => setting.split('=')[0]?.trim())
  const advice = block(MANUAL, 'Engines', 0, 'ini')
  const isLeft = (line: string): boolean => !names.includes(line.split('=')[0]?.trim())
  return advice.split('\n').filter(isLeft).join('\n')
}

type FsDump = {
  filesystems: { mdsmap: { info: Record<string, { name: string; state: string }> } }[]
  standbys: unknown[]
}

export class Ceph {
  readonly #folder: string
  /** The daemons by name, as `mds.a`. */
  readonly #daemons = new Map<string, ChildProcess>()

  /** Lines of its configuration that others chose. */
  readonly #settings: readonly string[]

  constructor(folder: string, settings: readonly string[]) {
    this.#folder = folder
    this.#settings = settings
  }

  /** Makes it and starts it; `clients` may mount the file system. Takes about half a minute. */
  async start(clients: readonly string[]): Promise<void> {
    const fsid = randomUUID()
    for (const name of ['', 'mon', 'mgr', 'osd', 'run', 'log', 'crash'])
      mkdirSync(join(this.#folder, name), { recursive: true })
    writeFileSync(this.#conf, confOf(this.#folder, fsid, this.#settings))
    this.#makeKeys(clients)
    const map = join(this.#folder, 'monmap')
    this.#tool('monmaptool', '--create', '--addv', 'm', `[v2:${storageAddress}:3300]`, '--fsid', fsid, map)
    this.#tool('ceph-mon', '-c', this.#conf, '--mkfs', '-i', 'm', '--monmap', map, '--keyring', this.#keyring)
    this.#startDaemon('mon.m')
    await untilWithin(120, 'the monitor answers', async () => (await this.ceph('health')) !== '', 500)
    await this.ceph('auth', 'import', '-i', this.#keyring)
    this.#startDaemon('mgr.x')
    const osd = randomUUID()
    await this.ceph('osd', 'new', osd)
    this.#tool('ceph-osd', '-c', this.#conf, '-i', '0', '--mkfs', '--osd-uuid', osd)
    this.#startDaemon('osd.0')
    for (const pool of ['metadata', 'files']) await this.ceph('osd', 'pool', 'create', pool, '8')
    await this.ceph('fs', 'new', 'fs', 'metadata', 'files')
    for (const name of ['session_timeout', 'session_autoclose'])
      await this.ceph('fs', 'set', 'fs', name, String(SESSION_SECONDS))
    for (const name of METADATA_SERVERS) this.#startDaemon(`mds.${name}`)
    await this.untilWhole()
  }

  /** `ceph`, for a minute at most. Resolves with what it prints. */
  async ceph(...words: string[]): Promise<string> {
    const { stdout } = await run('ceph', ['-c', this.#conf, ...words], { timeout: 60_000 })
    return stdout.trim()
  }

  /** Resolves when one metadata server is active and the other one stands by. */
  async untilWhole(): Promise<void> {
    await untilWithin(
      180,
      'one metadata server is active and one stands by',
      async () => {
        const dump = await this.#dump()
        return activeOf(dump) !== undefined && dump.standbys.length === METADATA_SERVERS.length - 1
      },
      1000,
    )
  }

  /** The name of the daemon that serves the metadata, as `mds.a`. */
  async activeMetadataServer(): Promise<string> {
    const name = activeOf(await this.#dump())
    if (name === undefined) throw new Error('no metadata server is active')
    return `mds.${name}`
  }

  /** kill -9. */
  async kill(daemon: string): Promise<void> {
    const child = this.#daemons.get(daemon)
    if (!child || child.exitCode !== null) throw new Error(`${daemon} does not run`)
    const gone = once(child, 'exit')
    child.kill('SIGKILL')
    await gone
  }

  /** Starts a daemon that was killed. */
  startAgain(daemon: string): void {
    this.#startDaemon(daemon)
  }

  /**
   * Starts the gateway. Resolves, when it answers, with its address and with what tells rclone of it, as a remote that
   * is called `r`. Buckets and objects that rclone makes are for everybody to read.
   */
  async startGateway(): Promise<{ url: string; env: Record<string, string> }> {
    const log = openSync(join(this.#folder, 'log', `${GATEWAY}.out`), 'a')
    const words = ['-c', this.#conf, '-n', `client.${GATEWAY}`, '-f']
    this.#daemons.set(GATEWAY, spawn('radosgw', words, { stdio: ['ignore', log, log] }))
    const url = `http://${storageAddress}:${GATEWAY_PORT}`
    await untilWithin(120, 'the gateway answers', async () => (await fetch(url)).ok, 500)
    const { access, secret } = GATEWAY_KEYS
    const user = ['--uid=plinth', '--display-name=plinth', `--access-key=${access}`, `--secret-key=${secret}`]
    await run('radosgw-admin', ['-c', this.#conf, 'user', 'create', ...user], { timeout: 60_000 })
    const settings = {
      TYPE: 's3',
      PROVIDER: 'Ceph',
      ENDPOINT: url,
      ACCESS_KEY_ID: access,
      SECRET_ACCESS_KEY: secret,
      ACL: 'public-read',
      BUCKET_ACL: 'public-read',
    }
    const env = Object.entries(settings).map(([name, value]) => [`RCLONE_CONFIG_R_${name}`, value])
    return {
      url,
      env: {
        RCLONE_CONFIG: '/nowhere/rclone.conf',
        AWS_CA_BUNDLE: '',
        ...(Object.fromEntries(env) as Record<string, string>),
      },
    }
  }

  /** The addresses in `store` of the clients that are shut out. */
  async shutOut(): Promise<string[]> {
    const list = await this.ceph('osd', 'blocklist', 'ls') // 10.89.0.11:0/1234 2026-11-29T15:41:32
    return [...list.matchAll(/^([\d.]+):/gm)].map(([, address = '']) => address)
  }

  /** Mounts the file system on a machine. Resolves when it is there. */
  async mount(machine: Machine, at: string): Promise<void> {
    const log = join(this.#folder, 'log', `${machine.name}.fuse`)
    const words = ['ceph-fuse', '-c', this.#conf, '-n', `client.${machine.name}`]
    machine.spawn([...words, `--log-file=${log}.log`, '-f', at], `${log}.out`)
    // A client of before that died with its machine is in nobody's way.
    await untilWithin(120, `${machine.name} mounts`, async () => {
      await machine.run('mountpoint', '-q', at)
      return true
    })
  }

  get #conf(): string {
    return join(this.#folder, 'ceph.conf')
  }

  get #keyring(): string {
    return join(this.#folder, 'keyring')
  }

  #makeKeys(clients: readonly string[]): void {
    const keys: Record<string, Record<string, string>> = {
      'mon.': { mon: 'allow *' },
      'client.admin': { mon: 'allow *', osd: 'allow *', mds: 'allow *', mgr: 'allow *' },
      'mgr.x': { mon: 'allow profile mgr', osd: 'allow *', mds: 'allow *' },
      'osd.0': { mon: 'allow profile osd', mgr: 'allow profile osd', osd: 'allow *' },
    }
    keys[`client.${GATEWAY}`] = { mon: 'allow rw', osd: 'allow rwx' }
    for (const name of METADATA_SERVERS)
      keys[`mds.${name}`] = { mon: 'allow profile mds', osd: 'allow rw tag cephfs *=*', mds: 'allow' }
    for (const name of clients)
      keys[`client.${name}`] = { mon: 'allow r', osd: 'allow rw tag cephfs data=fs', mds: 'allow rw' }
    for (const [name, caps] of Object.entries(keys)) {
      const words = Object.entries(caps).flatMap(([kind, cap]) => ['--cap', kind, cap])
      this.#tool(
        'ceph-authtool',
        '--create-keyring',
        '--gen-key',
        '-n',
        name,
        ...words,
        `${this.#keyring}.one`,
      )
      this.#tool('sh', '-c', 'cat "$0.one" >> "$0" && rm "$0.one"', this.#keyring)
    }
  }

  #tool(program: string, ...words: string[]): void {
    const log = openSync(join(this.#folder, 'log', 'tools.out'), 'a')
    execFileSync(program, words, { stdio: ['ignore', log, log] })
  }

  #startDaemon(name: string): void {
    const [kind = '', id = ''] = name.split('.')
    const log = openSync(join(this.#folder, 'log', `${name}.out`), 'a')
    const child = spawn(`ceph-${kind}`, ['-c', this.#conf, '-i', id, '-f'], { stdio: ['ignore', log, log] })
    this.#daemons.set(name, child)
  }

  async #dump(): Promise<FsDump> {
    return JSON.parse(await this.ceph('fs', 'dump', '-f', 'json')) as FsDump
  }
}

const activeOf = ({ filesystems }: FsDump): string | undefined =>
  Object.values(filesystems[0]?.mdsmap.info ?? {}).find(({ state }) => state === 'up:active')?.name
