import { messageOf } from '#base/errors.ts'
import type { VolumeDriver } from '../driver.ts'
import type { PluginSource } from '../drivers.ts'
import { findPlugin, listPlugins, type PluginAddress, type PluginDirectories } from './discovery.ts'
import { PluginClient } from './plugin-client.ts'
import { RemoteDriver } from './remote-driver.ts'

const activateMs = 30_000

interface Active {
  readonly url: string
  /** Undefined: it serves something else. */
  readonly driver: Promise<VolumeDriver | undefined>
}

/** Volume drivers that are announced in Docker's plugin directories. Each is activated when it is first needed, and again when it has moved. */
export function openPlugins(directories: PluginDirectories): PluginSource {
  const active = new Map<string, Active>()

  const activate = (address: PluginAddress): Promise<VolumeDriver | undefined> => {
    const known = active.get(address.name)
    if (known?.url === address.url.href) return known.driver
    const driver = handshake(address)
    active.set(address.name, { url: address.url.href, driver })
    // What did not answer may do so the next time.
    driver.catch(() => active.delete(address.name))
    return driver
  }

  const find = async (name: string): Promise<VolumeDriver | undefined> => {
    const address = await findPlugin(directories, name)
    return address && (await activate(address))
  }

  return {
    find,
    async all() {
      const names = await listPlugins(directories)
      const found = await Promise.allSettled(names.map(find))
      return {
        drivers: found.flatMap((one) => (one.status === 'fulfilled' && one.value ? [one.value] : [])),
        warnings: found.flatMap((one) => (one.status === 'rejected' ? [messageOf(one.reason)] : [])),
      }
    },
  }
}

async function handshake(address: PluginAddress): Promise<VolumeDriver | undefined> {
  const client = new PluginClient(address)
  const { Implements: kinds } = await client.call('Plugin.Activate', {}, activateMs)
  if (!Array.isArray(kinds) || !kinds.includes('VolumeDriver')) return undefined
  return await RemoteDriver.open(address.name, client)
}
