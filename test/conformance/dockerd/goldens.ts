import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Played, Version } from './play.ts'

const folder = join(import.meta.dirname, '../../golden/engine-api/dockerd')

const fileOf = (script: string, version: Version): string => join(folder, `${script}-${version}.jsonl`)

/** What dockerd answered to a script, a line for each request. */
export function readGolden(script: string, version: Version): Played[] {
  const lines = readFileSync(fileOf(script, version), 'utf8').trimEnd().split('\n')
  return lines.map((line) => JSON.parse(line) as Played)
}

export function writeGolden(script: string, version: Version, played: readonly Played[]): void {
  mkdirSync(folder, { recursive: true })
  writeFileSync(fileOf(script, version), played.map((one) => `${JSON.stringify(one)}\n`).join(''))
}

/** The version of the dockerd that was recorded. */
export function writePeer(version: string): void {
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'peer.json'), `${JSON.stringify({ version })}\n`)
}
