import { containerPath } from '../../client/containers.ts'
import { command } from '../../command.ts'
import { checkSaveTarget, saveStream } from '../../output/save-stream.ts'
import { text } from '../../parsing/flag.ts'

export const exportCommand = command({
  usage: '[OPTIONS] CONTAINER',
  summary: 'Write the files of a container as a tar archive',
  flags: {
    output: text('output', 'Write to a file, not to standard output', { short: 'o' }),
  },
  least: 1,
  most: 1,
  async run(cli, { flags, args: [name = ''] }) {
    await checkSaveTarget(cli, flags.output)
    const { body } = await cli.client.stream('GET', containerPath(name, '/export'))
    await saveStream(cli, flags.output, body)
    return 0
  },
})
