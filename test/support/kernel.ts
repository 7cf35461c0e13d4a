import { existsSync, readFileSync } from 'node:fs'

/** Something that not every kernel can do, or that not every processor has. This list is the only ground on which a test may be left out. */
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
  memfdNoexec: {
    name: 'vm.memfd_noexec',
    probe: () => existsSync('/proc/sys/vm/memfd_noexec'),
    runsOn: 'kernels from 6.3 on',
  },
  noSecurityModules: {
    name: 'neither SELinux nor AppArmor, whose absence is told',
    probe: () => !existsSync('/sys/fs/selinux/load') && !existsSync('/sys/kernel/security/apparmor'),
    runsOn: 'kernels built or booted without them',
  },
  x86: {
    name: 'x86_64 instructions, for which alone isa-l is built',
    probe: () => process.arch === 'x64',
    runsOn: 'x86_64',
  },
  recordedCgroupLayout: {
    name: 'cgroup hierarchies like those on which system calls were counted (nine of v1 beside v2)',
    probe: () => {
      const types = [...readFileSync('/proc/self/mountinfo', 'utf8').matchAll(/ - (cgroup2?) /g)].map(
        ([, type]) => type,
      )
      return types.filter((type) => type === 'cgroup').length === 9 && types.includes('cgroup2')
    },
    runsOn: 'hosts of the hybrid layout',
  },
} as const satisfies Record<string, KernelFeature>

export const hasKernelFeature = (feature: keyof typeof kernelFeatures): boolean => kernelFeatures[feature].probe()

/** One line for each feature that is missing here. */
export function missingFeatures(): string[] {
  return Object.values<KernelFeature>(kernelFeatures)
    .filter(({ probe }) => !probe())
    .map(({ name, runsOn }) => `this kernel has no ${name}; tested on: ${runsOn}`)
}
