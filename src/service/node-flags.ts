// The flags and the environment that node runs the service with. Node 20 to 25 know them. Pure.

export const NODE_FLAGS: readonly string[] = [
  // In MB. New objects are freed soon: by default up to 48 MB of buffers of finished bodies pile up, and as much again
  // in the threads that check zips.
  '--max-semi-space-size=1',
  // In percent: how much the heap may grow before the next full collection. The heap has 13 to 20 MB, and the buffers
  // of bodies count as heap. With 100 or less, collections take a third of the processor time of a large upload. With
  // 300 up to 60 MB of buffers that nobody uses any more pile up when many bodies come at once.
  '--heap-growing-percent=150',
  // What has written a body or inflated an entry frees the buffers: see shares/free-buffers.ts.
  '--expose-gc',
]

/** An operator's own value of one of these is kept. */
export const NODE_ENV: Readonly<Record<string, string>> = {
  // Threads that make system calls. A sync holds one until the disk has answered, and a read of a small file waits for
  // a thread: with node's 4 an account that uploads much made every request wait.
  UV_THREADPOOL_SIZE: '16',
  // In bytes: glibc returns blocks from this size on to the system as soon as they are free. By default it adapts the
  // size to what the program frees, and larger buffers lie among small objects, which keep their pages. A socket is
  // read in pieces of up to 64 KiB: with 131072 a flood of bodies left 90 MB of free pieces in the heap for good. zlib
  // takes 32 KiB for each file of a zip: with 16384 checking zips took 1.4 times the processor time, for blocks that
  // were fetched and given back.
  MALLOC_MMAP_THRESHOLD_: '40960',
  // By default glibc gives up to 8 heaps for each processor to the threads, and each keeps what its thread once used.
  MALLOC_ARENA_MAX: '2',
}
