import { expect, test } from 'vitest'
import { systemClock } from '#base/clock.ts'
import { silentLogger } from '#base/log.ts'
import { HostFirewall } from '#network/firewall/host-firewall.ts'
import type { Firewall, FirewallBridge, FirewallPort } from '#runtime/firewall.ts'

const bridge: FirewallBridge = {
  bridge: 'berth0',
  subnet: { base: 0x0a000000, prefix: 24 },
  internal: false,
  masquerade: true,
}
const port: FirewallPort = { protocol: 'tcp', hostAddress: undefined, hostPort: 80, address: 0x0a000002, port: 80 }

/** A kernel whose table anybody may take away, and a clock that ticks when it is told. */
function scene(owned: boolean) {
  const calls: string[] = []
  let stands = false
  let tick: (() => void) | undefined
  const asleep = { next: Promise.withResolvers<void>() }
  const firewall: Firewall = {
    async write({ ports }) {
      calls.push(`write ${ports.length}`)
      stands = true
      return owned
    },
    add: async ({ ports, bridges }) => void calls.push(`add ${bridges.length} ${ports.length}`),
    take: async ({ ports }) => void calls.push(`take ${ports.map(({ keepOwn }) => keepOwn)}`),
    forgetFlows: async (ports) => void calls.push(`forget ${ports.length}`),
    async removeTable() {
      stands = false
    },
    hasTable: () => stands,
    droppingChains: () => [],
    [Symbol.dispose]: () => undefined,
  }
  const clock = {
    ...systemClock,
    sleep: (_: number, { signal }: { signal?: AbortSignal } = {}) => {
      const { promise, resolve, reject } = Promise.withResolvers<void>()
      tick = resolve
      signal?.addEventListener('abort', () => reject(signal.reason))
      asleep.next.resolve()
      asleep.next = Promise.withResolvers<void>()
      return promise
    },
  }
  const memory = { get: () => undefined, set: () => undefined }
  // The machine's own is left alone.
  const inspect = async () => ({ ours: false, turnOn: async () => undefined })
  const table = new HostFirewall({ table: 'berth', firewall, memory, log: silentLogger, clock, inspect })
  return {
    table,
    calls,
    flush: () => {
      stands = false
    },
    /** A second passes, and whoever woke up is asleep again. */
    async second() {
      const again = asleep.next.promise
      tick?.()
      await again
    },
  }
}

test('a table that nobody owns is written again when somebody took it away', async () => {
  const { table, calls, flush, second } = scene(false)
  using _ = table
  await table.admit(bridge)
  await table.addPorts([port])
  await second()
  expect(calls).toEqual(['write 0', 'add 0 1'])
  flush()
  await second()
  await second()
  expect(calls).toEqual(['write 0', 'add 0 1', 'write 1'])
})

test('one that is owned needs nobody to look after it', async () => {
  const { table, calls, flush } = scene(true)
  await table.admit(bridge)
  flush()
  await table.admit(bridge)
  expect(calls).toEqual(['write 0', 'write 0'])
})

test('what says that a port is the container’s own goes with the last of its number', async () => {
  const { table, calls } = scene(true)
  const local = { ...port, hostAddress: 0x7f000002 }
  await table.admit(bridge)
  await table.addPorts([port, local])
  await table.removePorts([port])
  await table.removePorts([local])
  await table.addPorts([port, local])
  await table.removePorts([port, local])
  expect(calls.filter((call) => call.startsWith('take'))).toEqual(['take true', 'take false', 'take false,true'])
})
