import { formatVersion, newestVersion } from '#contract/versions.ts'

/** Headers of every answer: clients negotiate by the first and choose their builder by the third. */
export function engineHeaders(engineVersion: string): Readonly<Record<string, string>> {
  return {
    'Api-Version': formatVersion(newestVersion),
    'Docker-Experimental': 'false',
    Ostype: 'linux',
    Server: `Docker/${engineVersion} (linux)`,
  }
}
