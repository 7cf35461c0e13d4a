import { arch } from 'node:process'
import { invalid } from '#base/errors.ts'
import type { JsonReader } from './json.ts'

/** @see image-spec v1.1 image-index.md (platform) */
export interface Platform {
  readonly os: string
  readonly architecture: string
  readonly variant?: string
  readonly 'os.version'?: string
  readonly 'os.features'?: readonly string[]
}

const architectureOfNode: Record<string, string> = {
  x64: 'amd64',
  ia32: '386',
  arm: 'arm',
  arm64: 'arm64',
  riscv64: 'riscv64',
  s390x: 's390x',
  ppc64: 'ppc64le',
}

/** The platform of this machine. */
export const hostPlatform: Platform = normalizePlatform({ os: 'linux', architecture: architectureOfNode[arch] ?? arch })

export function readPlatform(reader: JsonReader): Platform {
  const variant = reader.field('variant').optional((text) => text.string())
  const version = reader.field('os.version').optional((text) => text.string())
  const features = reader.field('os.features').optional((list) => list.stringArray(100))
  return {
    os: reader.field('os').optional((text) => text.string()) ?? '',
    architecture: reader.field('architecture').optional((text) => text.string()) ?? '',
    ...(version && { 'os.version': version }),
    ...(features && { 'os.features': features }),
    ...(variant ? { variant } : {}),
  }
}

/** `linux/arm64/v8`, `amd64` → platform.   @throws `invalid` */
export function parsePlatform(text: string): Platform {
  const parts = text.toLowerCase().split('/')
  if (parts.length > 3 || parts.some((part) => !/^[a-z0-9_.-]+$/.test(part))) {
    throw invalid(`"${text}" is an invalid OS/architecture[/variant] platform: write it as linux/arm64 or linux/arm/v7`)
  }
  const [os, architecture, variant] = parts.length === 1 ? (['linux', parts[0]] as const) : parts
  return normalizePlatform({ os: os ?? '', architecture: architecture ?? '', ...(variant ? { variant } : {}) })
}

export function formatPlatform({ os, architecture, variant }: Platform): string {
  return [os, architecture, ...(variant ? [variant] : [])].join('/')
}

/** One spelling for each platform: x86_64 is amd64, arm64/v8 is arm64, arm is arm/v7. */
function normalizePlatform(platform: Platform): Platform {
  const { os } = platform
  let { architecture, variant } = platform
  if (architecture === 'x86_64' || architecture === 'x86-64') architecture = 'amd64'
  if (architecture === 'i386' || architecture === 'i686') architecture = '386'
  if (architecture === 'aarch64') architecture = 'arm64'
  if (architecture === 'arm64' && (variant === 'v8' || variant === '8')) variant = undefined
  if (architecture === 'amd64' && variant === 'v1') variant = undefined
  if (architecture === 'armhf') [architecture, variant] = ['arm', 'v7']
  if (architecture === 'armel') [architecture, variant] = ['arm', 'v6']
  if (architecture === 'arm' && !variant) variant = 'v7'
  return { os: os.toLowerCase(), architecture, ...(variant ? { variant } : {}) }
}

/**
 * How well `candidate` serves `wanted`: 0 not at all, more is better. An exact variant is best; a lower arm variant runs on a
 * higher machine, and 32-bit arm on arm64.
 */
export function platformScore(candidate: Platform, wanted: Platform): number {
  const have = normalizePlatform(candidate)
  const want = normalizePlatform(wanted)
  if (have.os !== want.os) return 0
  if (have.architecture === want.architecture) {
    if (have.variant === want.variant) return 100
    if (have.architecture !== 'arm') return have.variant === undefined ? 90 : 0
    const level = Number(have.variant?.slice(1))
    return level < Number(want.variant?.slice(1)) ? 50 + level : 0
  }
  if (want.architecture === 'arm64' && have.architecture === 'arm') return 10 + Number(have.variant?.slice(1) ?? 0)
  return 0
}
