// A module zip that was read and found right, in the folder of its upload.

import type { Sum } from '../digest.js'
import type { GoSums } from '../sumdb/record.js'

/**
 * Its path and those of its go.mod and of its facts, all absolute in an upload's folder; its SHA-256 and size; its sums
 * in go.sum.
 */
export type CheckedZip = Sum & { path: string; mod: string; facts: string; sums: GoSums }

/** What was taken out of a zip: its go.mod and its facts, both absolute. */
export type FromZip = Pick<CheckedZip, 'mod' | 'facts'>
