import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { toCreateBody } from '#cli/options/container-config.ts'
import { containerFlags } from '#cli/options/container-flags.ts'
import { toggle } from '#cli/parsing/flag.ts'
import { parseArguments } from '#cli/parsing/parse.ts'

interface Recorded {
  readonly line: string
  /** What docker 28 sends for this line, without fields that are empty. */
  readonly body: Readonly<Record<string, unknown>>
}

const recorded = JSON.parse(
  readFileSync(join(import.meta.dirname, '../../golden/cli/create-requests.json'), 'utf8'),
) as Recorded[]

const files: Readonly<Record<string, string>> = {
  ENVFILE: '# c\nA=1\nPLACE\nNOPE\n  B=2 3\n',
  LABELFILE: 'l1=v1\nl2\n',
  PROFILE: '{ "defaultAction": "SCMP_ACT_ALLOW" }',
}

test.each(recorded)('asks for the same container as docker: $line', ({ line, body }) => {
  expect(withoutEmpty(requestOf(line))).toEqual(body)
})

function requestOf(line: string): object {
  const [verb, ...words] = splitWords(line)
  const table = { ...containerFlags, detach: toggle('detach', '', { short: 'd' }) }
  const { flags, given, args } = parseArguments(table, words, { interspersed: false })
  const [image = '', ...command] = args
  const around = {
    environment: { PLACE: 'here' },
    directory: '/here',
    read: (path: string) => files[path] ?? '',
  }
  const request = toCreateBody({ flags, given, image, command }, around)
  const binds = request.HostConfig.Binds?.toSorted()
  const sorted = { ...request, HostConfig: { ...request.HostConfig, ...(binds && { Binds: binds }) } }
  if (verb !== 'run' || !flags.detach) return sorted
  return { ...sorted, AttachStdin: false, AttachStdout: false, AttachStderr: false, StdinOnce: false }
}

/** Words as a shell splits these lines: single quotes hold spaces together. */
function splitWords(line: string): string[] {
  return [...line.matchAll(/(?:'[^']*'|[^\s'])+/g)].map(([word]) => word.replaceAll("'", ''))
}

function withoutEmpty(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutEmpty)
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value).map(([key, one]) => [key, withoutEmpty(one)] as const)
  return Object.fromEntries(entries.filter(([, one]) => !isEmpty(one)))
}

function isEmpty(value: unknown): boolean {
  if (value === undefined || value === null || value === '' || value === false || value === 0) return true
  if (Array.isArray(value)) return value.length === 0
  return typeof value === 'object' && Object.keys(value).length === 0
}
