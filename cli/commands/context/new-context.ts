import { conflict } from '#base/errors.ts'
import type { Cli } from '../../cli.ts'
import { checkContextName } from '../../contexts/context.ts'

/** @throws `invalid` for a name that no context can have, `conflict` for one that a context has */
export function checkNewName({ store }: Cli['contexts'], name: string): void {
  checkContextName(name)
  if (store.has(name)) throw conflict(`context ${JSON.stringify(name)} already exists`)
}

/** The name for programs, a sentence for people. */
export async function report(
  { stdout, stderr }: Cli,
  name: string,
  done: 'created' | 'updated' | 'imported',
): Promise<number> {
  await stdout.write(`${name}\n`)
  await stderr.write(`Successfully ${done} context ${JSON.stringify(name)}\n`)
  return 0
}
