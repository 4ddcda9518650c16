// All attacks.

import type { Attack } from '../target.js'
import { api } from './api.js'
import { bodies } from './bodies.js'
import { connections } from './connections.js'
import { floods } from './floods.js'
import { forms } from './forms.js'
import { logins } from './logins.js'
import { machine } from './machine.js'
import { zips } from './zips.js'

export const ATTACKS: readonly Attack[] = [
  ...forms,
  ...logins,
  ...api,
  ...bodies,
  ...floods,
  ...zips,
  ...connections,
  ...machine,
]
