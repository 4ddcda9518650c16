// Two machines with Plinth on one CephFS.

import { join } from 'node:path'
import { Ceph } from './ceph.js'
import { makeNetworks } from './machine.js'
import { Member } from './member.js'
import { untilWithin } from './within.js'

export class Cluster {
  readonly ceph: Ceph
  readonly members: readonly [Member, Member]
  readonly #say: (line: string) => void

  constructor(folder: string, settings: readonly string[], say: (line: string) => void) {
    this.ceph = new Ceph(join(folder, 'ceph'), settings)
    this.members = [new Member(this.ceph, folder, 0), new Member(this.ceph, folder, 1)]
    this.#say = say
  }

  async start(): Promise<void> {
    makeNetworks()
    this.#say('starting Ceph')
    await this.ceph.start(this.members.map(({ name }) => name))
    for (const member of this.members) {
      this.#say(`starting ${member.name}`)
      await member.start()
    }
  }

  /** After a round that failed in the middle: every cable is in, and machines that do not serve are started anew. */
  async makeWhole(): Promise<void> {
    for (const member of this.members) {
      const { machine } = member
      if (machine.isUp) {
        machine.thaw()
        machine.isolate(false)
        machine.join('store')
      }
      const serves = machine.isUp && (await member.serves())
      if (!serves) await member.restart()
    }
  }

  /** The member whose service has the folder, and the other one. Asked of the machines that answer. */
  async roles(): Promise<{ active: Member; other: Member }> {
    const [a, b] = this.members
    let holder = ''
    await untilWithin(120, 'a service is active', async () => {
      holder = ''
      for (const { machine, data } of this.members)
        holder ||= await machine.run('timeout', '5', 'cat', join(data, 'state/active')).catch(() => '')
      return this.members.some(({ name }) => holder.includes(` on ${name}`))
    })
    return holder.includes(` on ${a.name}`) ? { active: a, other: b } : { active: b, other: a }
  }
}
