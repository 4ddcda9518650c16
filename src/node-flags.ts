// How node runs the service: pure.

/**
 * What is new is given back soon: by default up to 48 MB of buffers that bodies left behind lie about, and as much again
 * in the threads that check zips. MB.
 */
export const NODE_FLAGS: readonly string[] = ['--max-semi-space-size=1']
