import { lookup } from 'node:dns/promises'
import { isIP } from 'node:net'
import { internal, invalid, messageOf } from '#base/errors.ts'

/** What mount(2) takes, of the options `type`, `device` and `o` of a local volume. */
export interface MountCall {
  readonly source: string
  readonly type: string
  /** MS_* */
  readonly flags: number
  readonly data: string
}

const bind = 0x1000
const recursive = 0x4000

/** Words of `o` that are flags of mount(2), not the filesystem's own: what each sets, or takes back. */
const flagsOfWords: Readonly<Record<string, { readonly flag: number; readonly clear?: boolean }>> = {
  defaults: { flag: 0 },
  ro: { flag: 0x1 },
  rw: { flag: 0x1, clear: true },
  suid: { flag: 0x2, clear: true },
  nosuid: { flag: 0x2 },
  dev: { flag: 0x4, clear: true },
  nodev: { flag: 0x4 },
  exec: { flag: 0x8, clear: true },
  noexec: { flag: 0x8 },
  sync: { flag: 0x10 },
  async: { flag: 0x10, clear: true },
  remount: { flag: 0x20 },
  mand: { flag: 0x40 },
  nomand: { flag: 0x40, clear: true },
  dirsync: { flag: 0x80 },
  atime: { flag: 0x400, clear: true },
  noatime: { flag: 0x400 },
  diratime: { flag: 0x800, clear: true },
  nodiratime: { flag: 0x800 },
  bind: { flag: bind },
  rbind: { flag: bind | recursive },
  relatime: { flag: 0x200000 },
  norelatime: { flag: 0x200000, clear: true },
  strictatime: { flag: 0x1000000 },
  nostrictatime: { flag: 0x1000000, clear: true },
}

const known = ['type', 'device', 'o', 'size']

/** @throws `invalid` in Docker's words */
export function checkLocalOptions(options: Readonly<Record<string, string>>): void {
  const unknown = Object.keys(options).find((key) => !known.includes(key))
  if (unknown !== undefined) throw invalid(`invalid option: ${JSON.stringify(unknown)}`)
  if (options.size !== undefined) throw invalid('quota size requested but no quota support')
  if (Object.keys(options).length === 0) return
  const missing = ['device', 'type'].find((key) => options[key] === undefined)
  if (missing !== undefined) throw invalid(`missing required option: ${JSON.stringify(missing)}`)
}

/** True when the volume is something that must be mounted, not a directory of ours. */
export function needsMount(options: Readonly<Record<string, string>> | undefined): boolean {
  return options?.device !== undefined
}

/** Resolves the host's name in `addr` of a network filesystem, which the kernel cannot.   @throws `internal` */
export async function toMountCall(options: Readonly<Record<string, string>>): Promise<MountCall> {
  const { type = '', device = '', o = '' } = options
  const words = o.split(',').filter((word) => word !== '')
  const data: string[] = []
  let flags = 0
  for (const word of words) {
    const found = Object.hasOwn(flagsOfWords, word) ? flagsOfWords[word] : undefined
    if (!found) data.push(/^(nfs|nfs4|cifs)$/.test(type) ? await resolved(word) : word)
    else if (found.clear) flags &= ~found.flag
    else flags |= found.flag
  }
  return { source: device, type, flags, data: data.join(',') }
}

/** As dockerd tells a mount that failed. */
export function describe({ source, flags, data }: MountCall, target: string): string {
  const parts = [`mount ${source}:${target}`]
  if (flags !== 0) parts.push(`flags: 0x${flags.toString(16)}`)
  if (data !== '') parts.push(`data: ${withoutSecrets(data)}`)
  return parts.join(', ')
}

function withoutSecrets(data: string): string {
  return data.replace(/(^|,)(username|password|credentials)=[^,]*/g, '$1$2=********')
}

async function resolved(word: string): Promise<string> {
  const host = /^addr=(.*)$/.exec(word)?.[1]
  if (host === undefined || host === '' || isIP(host) !== 0) return word
  try {
    return `addr=${(await lookup(host)).address}`
  } catch (cause) {
    throw internal(`error resolving passed in network volume address: ${messageOf(cause)}`, { cause })
  }
}
