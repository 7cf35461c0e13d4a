import { messageOf } from '#base/errors.ts'
import type { Cli } from './cli.ts'
import { ExitError } from './exit-error.ts'

/** Containers and images at a time; more would only queue in the engine. */
const width = 16

/**
 * Does `work` for every name, prints what it returns in the order of the names as soon as it is known, goes on past failures.
 * @returns 0   @throws ExitError 1 with all messages when any failed
 */
export async function forEach(
  cli: Cli,
  names: readonly string[],
  work: (name: string) => Promise<string | undefined>,
): Promise<number> {
  const failures: string[] = []
  for (let at = 0; at < names.length; at += width) {
    const running = names.slice(at, at + width).map((name) => settle(work(name), failures))
    for (const one of running) {
      const line = await one
      if (line !== undefined) await cli.stdout.write(`${line}\n`)
    }
  }
  if (failures.length > 0) throw new ExitError(1, failures.join('\n'))
  return 0
}

async function settle(work: Promise<string | undefined>, failures: string[]): Promise<string | undefined> {
  try {
    return await work
  } catch (error) {
    failures.push(messageOf(error))
    return undefined
  }
}
