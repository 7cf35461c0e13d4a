import type { FilesystemChanges } from '#contract/types.gen.ts'
import { containerPath } from '../../client/containers.ts'
import { command } from '../../command.ts'

const letters = ['C', 'A', 'D']

export const diffCommand = command({
  usage: 'CONTAINER',
  summary: 'List the files that a container has changed',
  flags: {},
  least: 1,
  most: 1,
  async run(cli, { args: [name = ''] }) {
    const changes = await cli.client.json<FilesystemChanges>('GET', containerPath(name, '/changes'))
    const lines = (changes ?? []).map(({ Kind, Path }) => `${letters[Kind] ?? '?'} ${Path}\n`)
    await cli.stdout.write(lines.join(''))
    return 0
  },
})
