import type { NetworkDriver } from './driver.ts'

/** The container uses the host's own network stack. */
export const hostDriver: NetworkDriver = {
  addressed: false,
  options: {},
  prepare: async () => undefined,
  plan: () => ({ kind: 'host' }),
  removeHostState: async () => undefined,
}
