import { invalid } from '#base/errors.ts'
import { familiarName, familiarReference, parseReference, withDefaultTag } from '#oci/reference.ts'
import { push } from '../../client/images.ts'
import { command } from '../../command.ts'
import { encodeAuth, findAuth } from '../../config/credential-helper.ts'
import { showProgress } from '../../output/progress.ts'
import { text, toggle } from '../../parsing/flag.ts'
import { silent } from '../../terminal/streams.ts'

export const pushCommand = command({
  usage: '[OPTIONS] NAME[:TAG]',
  summary: 'Send an image to a registry',
  flags: {
    disableContentTrust: toggle('disable-content-trust', 'Accepted for compatibility; signatures are not checked', {
      initial: true,
    }),
    allTags: toggle('all-tags', 'Every tag of the repository', { short: 'a' }),
    platform: text('platform', 'Only the manifest of this platform, as os[/arch[/variant]]'),
    quiet: toggle('quiet', 'Show no progress', { short: 'q' }),
  },
  least: 1,
  most: 1,
  async run(cli, { flags, args: [name = ''] }) {
    const named = parseReference(name)
    const isNameOnly = named.tag === undefined && named.digest === undefined
    if (flags.allTags && !isNameOnly) throw invalid("tag can't be used with --all-tags/-a")
    const reference = flags.allTags ? named : withDefaultTag(named)
    if (!flags.allTags && isNameOnly && !flags.quiet) await cli.stdout.write('Using default tag: latest\n')
    const auth = await findAuth(await cli.config(), reference.domain)
    const messages = await push(cli.client, reference, {
      platform: flags.platform,
      auth: auth && encodeAuth(auth),
    })
    await showProgress(messages, flags.quiet ? silent : cli.stdout)
    if (flags.quiet) {
      await cli.stdout.write(`${flags.allTags ? familiarName(reference) : familiarReference(reference)}\n`)
    }
    return 0
  },
})
