// The parts of a Plinth that changes its data folder, one instance of each: for the service, and for a command that
// works while no service runs.

import { AuditLog } from '../audit/audit-log.js'
import { auditLogOf } from '../audit/where.js'
import type { Config } from '../config.js'
import { KnownAccounts } from '../access/known-accounts.js'
import { KnownOwners } from '../access/known-owners.js'
import { FilePublisher } from '../generic/publish.js'
import { ModuleIntake } from '../go/intake.js'
import { ModulePublisher } from '../go/publish.js'
import { folders } from '../layout.js'
import type { Log } from '../log.js'
import { ChecksumDatabases } from '../sumdb/databases.js'
import { CheckPool } from '../modzip/check-pool.js'
import { reachedAt } from '../nginx/listen.js'
import { servedCertificateEnd } from '../nginx/served-certificate.js'
import { FileHashes } from '../packages/file-hashes.js'
import { Journal } from '../packages/journal.js'
import { OwnerViews } from '../packages/owner-views.js'
import { PublicationClock } from '../packages/publication-clock.js'
import { Tombstones } from '../packages/tombstones.js'
import { VersionIndex } from '../packages/version-index.js'
import { CopyIn } from '../store/copy-in.js'
import { FreeSpace } from '../store/free-space.js'
import type { Site } from '../views/page-addresses.js'
import { CertificateWatch } from './certificate-watch.js'
import { ClockWatch } from './clock-watch.js'
import { Readiness } from './readiness.js'
import { Store } from '../store/store.js'
import { waitForAll } from '../store/wait-for-all.js'

/**
 * Parts that are put in the place of the usual ones. `ownNginx`: the nginx in front is that of `npm start`, by these
 * settings.
 */
type Given = { store?: Store; zips?: CheckPool; ownNginx?: boolean }

export class Parts {
  /** The settings. */
  readonly config: Config
  readonly log: Log
  /** Has a line for each change, when there is one. */
  readonly audit: AuditLog
  /** The only writer below the data folder. */
  readonly store: Store
  /** The accounts, kept in memory. */
  readonly accounts: KnownAccounts
  /** The owners, kept in memory. */
  readonly owners: KnownOwners
  /** The free space on the data folder's file system, shared by all uploads and imports. */
  readonly freeSpace: FreeSpace
  /** Copies files of this machine in. */
  readonly copyIn: CopyIn
  /** Threads that read and check module zips. */
  readonly zips: CheckPool
  /** What pages know of the server. */
  readonly site: Site
  /** The versions of owners, kept in memory. */
  readonly versions: VersionIndex
  /** Hashes that are computed when somebody asks for them. */
  readonly hashes: FileHashes
  /** The views of each owner's packages together, which follow the changes. */
  readonly ownerViews: OwnerViews
  /** Operations that are under way, and the queues that they wait in. */
  readonly journal: Journal
  /** The checksum databases of owners that have one. */
  readonly databases: ChecksumDatabases
  /** Times of publication. */
  readonly clock: PublicationClock
  /** What was deleted from immutable owners. */
  readonly tombstones: Tombstones
  /** Publishes and deletes module versions. */
  readonly modules: ModulePublisher
  /** Publishes and deletes generic files. */
  readonly files: FilePublisher
  /** Checks a received module zip and publishes it. */
  readonly intake: ModuleIntake

  /** Sees that the machine's clock was moved. */
  readonly clockWatch: ClockWatch
  /** Sees that nginx's certificate expires. */
  readonly certificateWatch: CertificateWatch
  /** Whether uploads can be taken now. */
  readonly readiness: Readiness

  /** Opens the data folder of `config`, and changes nothing. Only the holder of its lock may change it. */
  constructor(config: Config, log: Log, given: Given = {}) {
    this.config = config
    this.log = log
    this.audit = new AuditLog(auditLogOf(config), log)
    this.store = given.store ?? new Store(config.data)
    this.accounts = new KnownAccounts(this.store)
    this.owners = new KnownOwners(this.store)
    this.freeSpace = new FreeSpace(this.store.at(folders.tmp), config.minFreeBytes)
    this.copyIn = new CopyIn(this.store, this.freeSpace)
    this.zips = given.zips ?? new CheckPool(config)
    this.site = { publicUrl: config.publicUrl, importPrefixes: config.importPrefixes }
    this.versions = new VersionIndex(this.store)
    this.hashes = new FileHashes(this.store)
    this.ownerViews = new OwnerViews(this.store, log, this.site, this.versions)
    this.journal = new Journal(this.store, log, this.ownerViews, (entry) =>
      'module' in entry ? this.modules.settle(entry) : this.files.settle(entry),
    )
    this.databases = new ChecksumDatabases(this.store, log)
    this.clock = new PublicationClock()
    this.tombstones = new Tombstones(this)
    this.modules = new ModulePublisher(this)
    this.files = new FilePublisher(this)
    this.intake = new ModuleIntake(this)
    this.clockWatch = new ClockWatch(log)
    this.certificateWatch = new CertificateWatch(
      config.tls && given.ownNginx
        ? { path: config.tls.cert, servedEnd: () => servedCertificateEnd(reachedAt(config)) }
        : undefined,
      log,
    )
    this.readiness = new Readiness(this)
  }

  /** Makes the folders that are missing, and repairs what a crash left of operations under way. */
  async recover(): Promise<void> {
    await this.store.prepare()
    await this.databases.recover()
    await waitForAll([this.journal.settleAll(), this.store.sweep()])
    await this.ownerViews.recover()
  }
}
