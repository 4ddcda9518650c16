// Frees the buffers that a thread has done with. zlib makes a new one for every piece that it inflates. A buffer counts
// little in the heap that its garbage collector watches, so some 40 MB of them pile up in each thread.

/** Bytes of buffers that may wait to be freed. A collection of new objects takes some 0.1 ms. */
const MOST_BYTES = 2 ** 20

/** Bytes of buffers of this thread that are done with. */
let bytes = 0

/** Tells that a buffer of `length` bytes is done with. Without the flag --expose-gc of node they are freed later. */
export function doneWith(length: number): void {
  bytes += length
  if (bytes < MOST_BYTES) return
  bytes = 0
  globalThis.gc?.({ type: 'minor' })
}
