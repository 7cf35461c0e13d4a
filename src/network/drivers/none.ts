import type { NetworkDriver } from './driver.ts'

/** A network stack of its own with nothing but loopback. */
export const noneDriver: NetworkDriver = {
  addressed: false,
  options: {},
  prepare: async () => undefined,
  plan: () => ({ kind: 'none' }),
  removeHostState: async () => undefined,
}
