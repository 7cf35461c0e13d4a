import { invalid } from '#base/errors.ts'
import { formatReference, parseReference, withDefaultTag } from '#oci/reference.ts'
import { command } from '../../command.ts'
import { text, toggle } from '../../parsing/flag.ts'
import { pullImage } from './pull-image.ts'

export const pullCommand = command({
  usage: '[OPTIONS] NAME[:TAG|@DIGEST]',
  summary: 'Fetch an image from a registry',
  flags: {
    disableContentTrust: toggle('disable-content-trust', 'Accepted for compatibility; signatures are not checked', {
      initial: true,
    }),
    allTags: toggle('all-tags', 'Every tag of the repository', { short: 'a' }),
    platform: text('platform', 'Platform of the image, as os[/arch[/variant]]'),
    quiet: toggle('quiet', 'Show no progress', { short: 'q' }),
  },
  least: 1,
  most: 1,
  async run(cli, { flags, args: [name = ''] }) {
    const reference = parseReference(name)
    if (flags.allTags && (reference.tag !== undefined || reference.digest !== undefined)) {
      throw invalid("tag can't be used with --all-tags/-a")
    }
    if (!flags.allTags && reference.tag === undefined && reference.digest === undefined && !flags.quiet) {
      await cli.stdout.write('Using default tag: latest\n')
    }
    await pullImage(cli, name, {
      platform: flags.platform,
      allTags: flags.allTags,
      progress: flags.quiet ? undefined : cli.stdout,
    })
    await cli.stdout.write(`${formatReference(flags.allTags ? reference : withDefaultTag(reference))}\n`)
    return 0
  },
})
