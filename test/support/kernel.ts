import { readFileSync } from 'node:fs'

/** Something that not every kernel can do. This list is the only ground on which a test may be left out. */
export interface KernelFeature {
  readonly name: string
  /** True when this kernel has it. */
  readonly probe: () => boolean
  /** Where its tests do run. */
  readonly runsOn: string
}

const kernelFeatures = {
  overlayfs: {
    name: 'overlayfs',
    probe: () => /\toverlay$/m.test(readFileSync('/proc/filesystems', 'utf8')),
    runsOn: 'every distribution kernel',
  },
} as const satisfies Record<string, KernelFeature>

/** One line for each feature that is missing here. */
export function missingFeatures(): string[] {
  return Object.values<KernelFeature>(kernelFeatures)
    .filter(({ probe }) => !probe())
    .map(({ name, runsOn }) => `this kernel has no ${name}; tested on: ${runsOn}`)
}
