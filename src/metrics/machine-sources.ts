// Figures of the machine: its disk, its clock and certificate, and nginx.

import type { Registry } from 'prom-client'
import { runtimeFiles } from '../settings/runtime-files.js'
import type { Log } from '../log.js'
import { STATUS_URL } from '../nginx/conf-parts.js'
import type { FreeSpace } from '../store/free-space.js'
import { FigureSource } from './figure-source.js'
import { askNginx } from './nginx-status.js'

/** What is asked. The clock and the certificate are seen by service/. */
export type MachineParts = {
  freeSpace: FreeSpace
  clockWatch: { look: () => void; movedSeconds: number }
  certificateWatch: { expires: () => Promise<number | undefined> }
}

export type Into = { registry: Registry; log: Log }

export const disk = (into: Into, { freeSpace }: MachineParts): FigureSource =>
  new FigureSource(
    into,
    'disk',
    {
      plinth_disk_size_bytes: { help: "Size of the data folder's file system." },
      plinth_disk_free_bytes: { help: 'Bytes of it that are free.' },
      plinth_disk_floor_bytes: { help: 'Bytes that uploads leave free (PLINTH_MIN_FREE_BYTES).' },
      plinth_disk_promised_bytes: {
        help: 'Bytes that uploads under way were promised and have not written yet.',
      },
      plinth_disk_inodes: { help: 'Inodes of the file system; absent where it does not count them.' },
      plinth_disk_inodes_free: { help: 'Inodes of it that are free; absent where it does not count them.' },
    },
    async () => {
      const { size, free, floor, promised, inodes, inodesFree } = await freeSpace.figures()
      return {
        plinth_disk_size_bytes: size,
        plinth_disk_free_bytes: free,
        plinth_disk_floor_bytes: floor,
        plinth_disk_promised_bytes: promised,
        plinth_disk_inodes: inodes,
        plinth_disk_inodes_free: inodesFree,
      }
    },
  )

export const certificateAndClock = (
  into: Into,
  { clockWatch, certificateWatch }: MachineParts,
): FigureSource =>
  new FigureSource(
    into,
    'machine',
    {
      plinth_clock_moved_seconds: {
        help: 'How far the clock was moved since the start of the service, negative when it was put back.',
      },
      plinth_certificate_expires_timestamp_seconds: {
        help: 'When the certificate that nginx serves expires, in seconds since 1970; absent without TLS.',
      },
    },
    async () => {
      clockWatch.look()
      const expires = await certificateWatch.expires()
      return {
        plinth_clock_moved_seconds: clockWatch.movedSeconds,
        plinth_certificate_expires_timestamp_seconds: expires && expires / 1000,
      }
    },
  )

/** `runtime`: where nginx's socket for its figures is. */
export const nginx = (into: Into, runtime: string): FigureSource =>
  new FigureSource(
    into,
    'nginx',
    {
      plinth_nginx_up: { help: '1 when nginx answers, else 0.' },
      plinth_nginx_connections: { help: 'Connections to nginx, by state.', label: 'state' },
      plinth_nginx_accepted_connections_total: { help: 'Connections that nginx has accepted.', total: true },
      plinth_nginx_handled_connections_total: {
        help: 'Those of them that were not dropped at once.',
        total: true,
      },
      plinth_nginx_requests_total: { help: 'Requests to nginx, reads and others.', total: true },
    },
    async () => {
      const status = await askNginx(runtimeFiles(runtime).nginxStatus, STATUS_URL)
      return {
        plinth_nginx_up: status ? 1 : 0,
        plinth_nginx_connections: status?.connections,
        plinth_nginx_accepted_connections_total: status?.accepted,
        plinth_nginx_handled_connections_total: status?.handled,
        plinth_nginx_requests_total: status?.requests,
      }
    },
  )
