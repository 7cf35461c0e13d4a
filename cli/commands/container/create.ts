import { parseReference } from '#oci/reference.ts'
import { command } from '../../command.ts'
import { containerFlags } from '../../options/container-flags.ts'
import { createFromImage, toRequest } from './create-container.ts'

export const createCommand = command({
  usage: '[OPTIONS] IMAGE [COMMAND] [ARG...]',
  summary: 'Make a container without starting it',
  flags: containerFlags,
  least: 1,
  stopsAtArgument: true,
  async run(cli, input) {
    const body = await toRequest(cli, input, 'create')
    if (!/^(sha256:)?[0-9a-f]+$/.test(body.Image)) parseReference(body.Image)
    await cli.stdout.write(`${await createFromImage(cli, body, input.flags)}\n`)
    return 0
  },
})
