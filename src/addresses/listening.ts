// A server that begins to listen.

import type { ListenOptions, Server } from 'node:net'

/**
 * Resolves when the server listens; rejects when it cannot. Later errors are those of connections that could not be
 * accepted (EMFILE): `onError` hears of them, and the server goes on.
 */
export async function listenAt(
  server: Server,
  options: ListenOptions,
  onError: (error: Error) => void,
): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(options, () => {
      server.off('error', reject)
      server.on('error', onError)
      resolve()
    })
  })
}
