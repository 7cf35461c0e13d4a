import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Played, Version } from './play.ts'

const folder = join(import.meta.dirname, '../../golden/engine-api/dockerd')

const unmendedFile = join(folder, 'unmended.txt')

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

/** Places (`placeOf`) where our answers differ from dockerd's and are to be mended. The recorder writes them. */
export function readUnmended(): ReadonlySet<string> {
  return new Set(readFileSync(unmendedFile, 'utf8').split('\n'))
}

export function writeUnmended(places: Iterable<string>): void {
  writeFileSync(
    unmendedFile,
    [...places]
      .toSorted()
      .map((place) => `${place}\n`)
      .join(''),
  )
}

/** The version of the dockerd that was recorded. */
export function writePeer(version: string): void {
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'peer.json'), `${JSON.stringify({ version })}\n`)
}
