import { open } from 'node:fs/promises'
import { resolve } from 'node:path'
import { invalid } from '#base/errors.ts'
import type { Cli } from '../../cli.ts'
import { command } from '../../command.ts'
import { fileProblem } from '../../config/read-named.ts'
import { type ArchivedContext, unpackContext } from '../../contexts/archive.ts'
import { writeContext } from '../../contexts/write-context.ts'
import { checkNewName, report } from './new-context.ts'

export const importCommand = command({
  usage: 'CONTEXT FILE|-',
  summary: 'Make a context of a tar archive that "context export" has written',
  flags: {},
  least: 2,
  most: 2,
  withoutEngine: true,
  async run(cli, { args: [name = '', source = ''] }) {
    const { contexts } = cli
    checkNewName(contexts, name)
    const { context, tls } = source === '-' ? await fromInput(cli) : await fromFile(cli, source)
    await writeContext(contexts.store, { ...context, Name: name }, tls)
    return await report(cli, name, 'imported')
  },
})

async function fromInput({ stdin }: Cli): Promise<ArchivedContext> {
  try {
    return await unpackContext(stdin.open())
  } finally {
    stdin.release()
  }
}

async function fromFile({ directory }: Cli, path: string): Promise<ArchivedContext> {
  try {
    await using file = await open(resolve(directory, path))
    return await unpackContext(file.createReadStream({ autoClose: false }))
  } catch (error) {
    if (error instanceof Error && 'syscall' in error) throw invalid(fileProblem(path, error), { cause: error })
    throw error
  }
}
