import type { NetworkDriver } from './driver.ts'

/** A network stack of its own with nothing but loopback. */
export const noneDriver: NetworkDriver = {
  addressed: false,
  optionsOf: () => ({}),
  prepare: async () => undefined,
  adopt: () => undefined,
  link: () => undefined,
  remove: async () => undefined,
  removeHostState: async () => undefined,
}
