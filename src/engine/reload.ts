import { hostname } from 'node:os'
import { isDeepStrictEqual } from 'node:util'
import type { CreateDefaults, CurrentDefaults } from '#containers/create-defaults.ts'
import type { Runtimes } from '#containers/runtimes.ts'
import type { EventBus } from '#events/bus.ts'
import { parseRegistryConfig } from '#images/registry/registry-config.ts'
import type { TransferChoices, TransferSettings } from '#images/transfer/transfer-settings.ts'
import type { Config } from './config.ts'
import { keyOf } from './directives.ts'
import { proxiesOf } from './proxies.ts'

interface Reloadable {
  readonly engineId: string
  readonly runtimes: Runtimes
  readonly transfers: TransferSettings
  readonly defaults: CurrentDefaults
  readonly events: EventBus
}

/** The configuration that counts now. */
export class CurrentConfig {
  #config: Config

  constructor(config: Config) {
    this.#config = config
  }

  get value(): Config {
    return this.#config
  }

  /** @returns keys of settings that differ and count only after a restart   @throws `invalid`, and then nothing has changed */
  reload(next: Config, { engineId, runtimes, transfers, defaults, events }: Reloadable): readonly string[] {
    const merged = adopt(this.#config, next)
    const choices = transferChoices(merged)
    runtimes.change(merged.runtimes, merged.defaultRuntime)
    transfers.change(choices)
    defaults.change(createDefaultsOf(merged))
    this.#config = merged
    events.publish({
      type: 'daemon',
      action: 'reload',
      actor: { id: engineId, attributes: attributesOf(merged) },
    })
    const current = new Map<string, unknown>(Object.entries(merged))
    return Object.entries(next).flatMap(([name, value]) =>
      isDeepStrictEqual(value, current.get(name)) ? [] : [keyOf(name)],
    )
  }
}

/** dockerd's list, as far as the settings are here, and `registries`. */
function adopt(now: Config, next: Config): Config {
  return {
    ...now,
    debug: next.debug,
    logLevel: next.logLevel,
    labels: next.labels,
    insecureRegistries: next.insecureRegistries,
    registryMirrors: next.registryMirrors,
    registries: next.registries,
    maxConcurrentDownloads: next.maxConcurrentDownloads,
    maxConcurrentUploads: next.maxConcurrentUploads,
    maxDownloadAttempts: next.maxDownloadAttempts,
    runtimes: next.runtimes,
    defaultRuntime: next.defaultRuntime,
    defaultShmSizeBytes: next.defaultShmSizeBytes,
    defaultIpcMode: next.defaultIpcMode,
    defaultCgroupnsMode: next.defaultCgroupnsMode,
    shutdownTimeout: next.shutdownTimeout,
  }
}

export function createDefaultsOf(config: Config): CreateDefaults {
  const { defaultShmSizeBytes: shmSizeBytes, defaultIpcMode: ipcMode, defaultCgroupnsMode: cgroupnsMode } = config
  return { shmSizeBytes, ipcMode, cgroupnsMode }
}

/** @throws `invalid` naming the first registry or proxy that cannot be used */
export function transferChoices(config: Config): TransferChoices {
  const { maxConcurrentDownloads, maxConcurrentUploads, maxDownloadAttempts } = config
  const registries = parseRegistryConfig({
    mirrors: config.registryMirrors,
    insecure: config.insecureRegistries,
    registries: config.registries,
    proxies: proxiesOf(config, process.env),
  })
  return { registries, maxConcurrentDownloads, maxConcurrentUploads, maxDownloadAttempts }
}

/** As dockerd tells them. */
function attributesOf(config: Config): Record<string, string> {
  return {
    debug: String(config.debug),
    'default-cgroupns-mode': config.defaultCgroupnsMode,
    'default-ipc-mode': config.defaultIpcMode,
    'default-runtime': config.defaultRuntime,
    'default-shm-size': String(config.defaultShmSizeBytes),
    'insecure-registries': JSON.stringify(config.insecureRegistries),
    labels: JSON.stringify(config.labels),
    'live-restore': 'true',
    'max-concurrent-downloads': String(config.maxConcurrentDownloads),
    'max-concurrent-uploads': String(config.maxConcurrentUploads),
    'max-download-attempts': String(config.maxDownloadAttempts),
    name: hostname(),
    'registry-mirrors': JSON.stringify(config.registryMirrors),
    runtimes: Object.entries(config.runtimes)
      .map(([name, { path }]) => `${name}:${path}`)
      .join(' '),
    'shutdown-timeout': String(config.shutdownTimeout),
  }
}
