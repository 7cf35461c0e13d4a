import { invalid, messageOf } from '#base/errors.ts'
import { toPlatformJson } from '../../client/images.ts'
import { command } from '../../command.ts'
import { checkSaveTarget, saveStream } from '../../output/save-stream.ts'
import { text } from '../../parsing/flag.ts'

export const saveCommand = command({
  usage: '[OPTIONS] IMAGE [IMAGE...]',
  summary: 'Write images into a tar archive',
  flags: {
    output: text('output', 'Write to a file, not to standard output', { short: 'o' }),
    platform: text('platform', 'Only this platform, as os[/arch[/variant]]'),
  },
  least: 1,
  async run(cli, { flags, args }) {
    try {
      await checkSaveTarget(cli, flags.output)
    } catch (error) {
      throw invalid(`failed to save image: ${messageOf(error)}`, { cause: error })
    }
    const { body } = await cli.client.stream('GET', '/images/get', {
      query: { names: args, platform: toPlatformJson(flags.platform) },
    })
    await saveStream(cli, flags.output, body)
    return 0
  },
})
