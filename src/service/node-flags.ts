// How node runs the service: pure. Node 20 to 25 know these flags.

export const NODE_FLAGS: readonly string[] = [
  // What is new is given back soon: by default up to 48 MB of buffers that bodies left behind lie about, and as much
  // again in the threads that check zips. MB.
  '--max-semi-space-size=1',
  // The buffers of bodies count as heap. After its first full collection node would begin the next one when the heap is
  // a little larger than what it found in use then, which 30 MB of a body are enough for: a third of the processor time
  // of a large upload. How much the heap may grow, in percent; it has 13 to 20 MB.
  '--heap-growing-percent=300',
]
