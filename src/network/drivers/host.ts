import type { NetworkDriver } from './driver.ts'

/** The container uses the host's own network stack. */
export const hostDriver: NetworkDriver = {
  addressed: false,
  optionsOf: () => ({}),
  prepare: async () => undefined,
  adopt: () => undefined,
  link: () => undefined,
  remove: async () => undefined,
  removeHostState: async () => undefined,
}
