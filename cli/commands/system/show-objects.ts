import { isKind, messageOf } from '#base/errors.ts'
import type { Cli } from '../../cli.ts'
import { containerPath } from '../../client/containers.ts'
import { imagePath, toPlatformJson } from '../../client/images.ts'
import { ExitError } from '../../exit-error.ts'
import { escapeHtml } from '../../output/escape-html.ts'
import { formatObject } from '../../output/format-flag.ts'

/** Asks the engine for one object; throws `not-found` when there is none of this kind. */
export type Finder = (cli: Cli, name: string) => Promise<unknown>

export const containerFinder =
  (size: boolean): Finder =>
  async (cli, name) =>
    await cli.client.json('GET', containerPath(name, '/json'), { query: { size } })

/** @param platform that the image must be of; empty: any */
export const imageFinder =
  (platform = ''): Finder =>
  async (cli, name) =>
    await cli.client.json('GET', imagePath(name, '/json'), { query: { platform: toPlatformJson(platform) } })

export const pathFinder =
  (collection: 'networks' | 'volumes'): Finder =>
  async (cli, name) =>
    await cli.client.json('GET', `/${collection}/${encodeURIComponent(name)}`)

export interface ShowOptions {
  /** Asked in this order; the first that knows the name has it. */
  readonly finders: readonly Finder[]
  /** What was looked for, in the error; undefined for any kind. */
  readonly kind: string | undefined
  readonly format: string
  /** What the engine has not written is written as docker's encoder does. */
  readonly escapesHtml?: boolean
}

/** Prints the objects as one JSON array, or each by the template; what is found is printed even when something is missing. */
export async function showObjects(cli: Cli, names: readonly string[], options: ShowOptions): Promise<number> {
  const found: unknown[] = []
  const failures: string[] = []
  for (const name of names) {
    try {
      found.push(await find(cli, name, options))
    } catch (error) {
      failures.push(messageOf(error))
    }
  }
  const { format, escapesHtml = false } = options
  const shown = formatFound(found, format)
  await cli.stdout.write(escapesHtml && ['', 'json'].includes(format) ? escapeHtml(shown) : shown)
  if (failures.length > 0) throw new ExitError(1, failures.join('\n'))
  return 0
}

function formatFound(found: readonly unknown[], format: string): string {
  if (format === '') return `${JSON.stringify(found, undefined, 4)}\n`
  if (format === 'json') return formatObject(found, format)
  return found.map((one) => formatObject(one, format)).join('')
}

async function find(cli: Cli, name: string, { finders, kind }: ShowOptions): Promise<unknown> {
  for (const finder of finders) {
    try {
      return await finder(cli, name)
    } catch (error) {
      if (!isKind(error, 'not-found') || kind !== undefined) throw error
    }
  }
  throw new ExitError(1, `Error: No such object: ${name}`)
}
