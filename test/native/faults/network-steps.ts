/** What is asked of a shim for the network of a container that runs. */
import { closeSync, readdirSync, readlinkSync } from 'node:fs'
import type { Shim } from '#shim/shim.ts'

export interface NetworkSteps {
  /** What an `unlink` scene needs besides, when nothing fails. */
  prepare(): Promise<void>
  /** One after the other; stops at the first that fails.   @throws what it said */
  run(): Promise<void>
  /** Takes back what succeeded.   @returns what is there nevertheless */
  undo(): Promise<string[]>
}

const port = { hostAddress: '127.0.0.1', hostPort: 4096 }
const target = { address: '10.9.0.2', port: 80 }

export interface NetworkStage {
  /** A link of this network namespace. */
  readonly bridge: string
  /** Of that end of a new link that is to be here. */
  readonly hostLink: string
  /** Only the way back of a link. */
  readonly isUnlink: boolean
}

export function networkSteps(shim: Shim, { bridge, hostLink, isUnlink }: NetworkStage): NetworkSteps {
  const before = descriptorsOf(shim)
  const undo: (() => Promise<void>)[] = []
  const link = { hostLink, bridge, link: 'eth1', mac: '02:42:0a:08:00:02', mtu: 1500 }
  let kept = 0
  const publish = async (protocol: 'tcp' | 'udp') => {
    await shim.publish({ protocol, ...port }, target)
    undo.push(() => shim.withdraw({ protocol, ...port }))
  }
  const takeBack = async () => {
    while (undo.length > 0) {
      await undo.at(-1)?.()
      undo.pop()
    }
  }
  const add = async () => {
    await shim.addLink({ ...link, address: '10.8.0.2/24', gateway: '' })
    undo.push(() => shim.removeLink(hostLink))
  }
  return {
    async prepare() {
      if (isUnlink) await add()
    },
    async run() {
      if (isUnlink) return await takeBack()
      await add()
      await shim.setGateway('10.8.0.1', 'eth1')
      await shim.setGateway('', 'eth1')
      const { udp, tcp } = await shim.openDns()
      kept = 2
      closeSync(udp)
      closeSync(tcp)
      await publish('tcp')
      await publish('udp')
      while (undo.length > 1) await undo.pop()?.()
    },
    async undo() {
      if (!shim.alive) return []
      const failures: string[] = []
      await takeBack().catch((error: Error) => failures.push(`taking back: ${error.message}`))
      const left = descriptorsOf(shim) - before - kept
      return [
        ...failures,
        ...(left > 0 ? [`${left} descriptors of the shim`] : []),
        ...(readdirSync('/sys/class/net').includes(hostLink) ? [`link ${hostLink}`] : []),
        ...(networkOf(shim) === networkOf() ? [] : ['the shim in the network of its container']),
      ]
    },
  }
}

const descriptorsOf = ({ pid }: Shim): number => readdirSync(`/proc/${pid}/fd`).length

const networkOf = (shim?: Shim): string => readlinkSync(`/proc/${shim?.pid ?? 'self'}/ns/net`)
