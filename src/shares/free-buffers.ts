// Frees buffers that a thread has done with. The network and zlib make a new one for every piece. The garbage collector
// of node watches small objects, and buffers are large ones outside of its heap: so without a word from us they pile up
// by tens of MB, in each thread.

/** Bytes of buffers that may wait to be freed. A collection of new objects takes some 0.3 ms. */
const MOST_BYTES = 2 ** 20

/** Bytes of buffers of this thread that are done with. */
let bytes = 0

/** Tells that buffers of `length` bytes are done with. Without the flag --expose-gc of node they are freed later. */
export function doneWith(length: number, most = MOST_BYTES): void {
  bytes += length
  if (bytes < most) return
  bytes = 0
  globalThis.gc?.({ type: 'minor' })
}
