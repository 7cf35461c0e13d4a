import { readFileSync } from 'node:fs'

export interface BuildFacts {
  readonly version: string
  readonly gitCommit: string
  readonly buildTime: string
}

/** Put into the bundle by the build; absent when the sources run as they are. */
declare const BERTH_BUILD: BuildFacts | undefined

export function buildFacts(): BuildFacts {
  if (typeof BERTH_BUILD !== 'undefined') return BERTH_BUILD
  const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
    version: string
  }
  return { version, gitCommit: '', buildTime: '' }
}
