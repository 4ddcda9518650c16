// What a developer sets, once, where an owner of a Plinth is the only source of modules. Pure.

import type { GoSettings } from '../service/go-settings.js'

/**
 * The lines to type. With a checksum database of the owner go checks every module against it, and fetches toolchains.
 * Without one there is none to ask, and go refuses to fetch a toolchain: then go.sum alone protects.
 */
export const goEnvLines = ({ goproxy, gosumdb }: GoSettings): string[] => [
  `go env -w GOPROXY=${goproxy}`,
  `go env -w GOSUMDB=${gosumdb ?? 'off'}`,
  `go env -w GOTOOLCHAIN=${gosumdb === undefined ? 'local' : 'auto'}`,
]
