// An nginx without rules, beside which ours is measured: a folder as it is, or one that takes PUT (WebDAV).

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createConnection } from 'node:net'
import { join } from 'node:path'
import { freePort } from '../../test/support/port.js'
import { tempFolder } from '../../test/support/temp-folder.js'

const running = new Set<ReturnType<typeof spawn>>()
process.on('exit', () => running.forEach((child) => child.kill('SIGKILL')))

/** What an nginx may say between the braces of its server. */
export const PUT_RULES = 'client_max_body_size 0; dav_methods PUT; create_full_put_path on;'

/**
 * Serves `root` with as many workers, the same user and the same ways to send a file as nginx.conf: what differs is
 * what Plinth does. `rules` go into its server.
 */
export async function startBareNginx(root: string, user: string, rules = '') {
  const folder = tempFolder('plinth-bench')
  const port = await freePort()
  const temps = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
  const conf = `${user}worker_processes auto; pid ${folder}/pid; error_log ${folder}/error.log warn; daemon off;
events { worker_connections 4096; }
http {
  default_type application/octet-stream; sendfile on; tcp_nopush on; access_log off; log_not_found off;
  ${temps.map((temp) => `${temp}_temp_path ${join(folder, temp)};`).join(' ')}
  server { listen 127.0.0.1:${port}; root ${root}; ${rules} }
}
`
  writeFileSync(join(folder, 'nginx.conf'), conf)
  mkdirSync(root, { recursive: true })
  const child = spawn('nginx', ['-p', `${folder}/`, '-c', 'nginx.conf', '-e', 'stderr'], {
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  running.add(child)
  while (!(await accepts(port))) {
    if (child.exitCode !== null) throw new Error(readFileSync(join(folder, 'error.log'), 'utf8'))
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  return {
    port,
    pid: child.pid ?? 0,
    stop: async () => {
      child.kill('SIGTERM')
      if (child.exitCode === null) await once(child, 'exit')
      running.delete(child)
    },
  }
}

const accepts = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const probe = createConnection({ host: '127.0.0.1', port })
    probe.once('connect', () => resolve(true)).once('error', () => resolve(false))
    probe.once('connect', () => probe.destroy())
  })

/** The lines of a running Plinth's nginx that say who its workers are and what they may open. */
export const userOf = (data: string): string =>
  readFileSync(join(data, 'state/nginx/main.conf'), 'utf8').replaceAll(/^(?:pid|worker_processes) .*\n/gm, '')
