// The files of one machine's processes. Pure.

/** The folder that they are in, below the data folder, where PLINTH_RUNTIME names no other. */
export const DEFAULT_RUNTIME = 'state'

/**
 * Whether this is one of several machines that share the data folder. Two plinths of one machine that have the same
 * files would end each other's nginx: without a folder of its own a standby only waits.
 */
export const isOneOfSeveral = ({ standby, runtime }: { standby: boolean; runtime: string }): boolean =>
  standby && runtime !== DEFAULT_RUNTIME

/** The absolute path of one that may be relative to the data folder `data`. */
export const pathIn = (data: string, path: string): string =>
  path.startsWith('/') ? path : `${data}/${path}`

/**
 * What belongs to the processes of one machine, below `runtime`: `state`, or the folder PLINTH_RUNTIME, since machines
 * that share a data folder have one each. A socket's path has at most 107 bytes: a relative one is short.
 */
export const runtimeFiles = (runtime: string) => ({
  startPid: `${runtime}/start.pid`,
  /** What was found of the data folder's file system. */
  filesystem: `${runtime}/filesystem.json`,
  /** The service's socket for nginx. */
  socket: `${runtime}/shim.sock`,
  /** Only the service's user enters it. */
  control: `${runtime}/control`,
  controlSocket: `${runtime}/control/sock`,
  nginxStatus: `${runtime}/control/nginx.sock`,
  nginx: `${runtime}/nginx`,
  nginxConf: `${runtime}/nginx/nginx.conf`,
  nginxPid: `${runtime}/nginx/nginx.pid`,
  refusedLog: `${runtime}/nginx/refused.log`,
  accessLog: `${runtime}/nginx/access.log`,
})
