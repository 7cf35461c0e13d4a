import { resolve } from 'node:path'
import { invalid } from '#base/errors.ts'

export interface Volumes {
  /** `source:target[:options]`, for HostConfig.Binds. */
  readonly binds: string[]
  /** Targets without a source: anonymous volumes, for Config.Volumes. */
  readonly anonymous: Record<string, object>
}

/** `-v /data`, `-v name:/data:ro`, `-v ./here:/data`; what the parts mean is the engine's to judge.   @throws `invalid` */
export function parseVolumes(entries: readonly string[], directory: string): Volumes {
  const binds: string[] = []
  const anonymous: Record<string, object> = {}
  for (const entry of entries) {
    if (entry === '') throw invalid('invalid empty volume spec')
    const colon = entry.indexOf(':')
    if (colon < 0) anonymous[entry] = {}
    else binds.push(`${toAbsolute(entry.slice(0, colon), directory)}${entry.slice(colon)}`)
  }
  return { binds, anonymous }
}

function toAbsolute(source: string, directory: string): string {
  return source.startsWith('.') ? resolve(directory, source) : source
}

/** `--tmpfs /run:size=64m` → target and options. */
export function parseTmpfs(entries: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    entries.map((entry) => {
      const colon = entry.indexOf(':')
      return colon < 0 ? [entry, ''] : [entry.slice(0, colon), entry.slice(colon + 1)]
    }),
  )
}
