import { invalid } from '#base/errors.ts'
import type { IdResponse } from '#contract/types.gen.ts'
import { familiarName, parseReference, withDefaultTag } from '#oci/reference.ts'
import { command } from '../../command.ts'
import { list, text, toggle } from '../../parsing/flag.ts'

export const commitCommand = command({
  usage: '[OPTIONS] CONTAINER [REPOSITORY[:TAG]]',
  summary: 'Make an image of a container',
  flags: {
    author: text('author', 'Who made it, as "Jane Doe <jane@example.org>"', { short: 'a' }),
    change: list('change', 'Dockerfile instruction that changes the config of the image', { short: 'c' }),
    message: text('message', 'What was done, for the history', { short: 'm' }),
    pause: toggle('pause', 'Freeze the container meanwhile', { short: 'p', initial: true }),
  },
  least: 1,
  most: 2,
  async run(cli, { flags, args: [container = '', target] }) {
    const { Id } = await cli.client.json<IdResponse>('POST', '/commit', {
      query: {
        container,
        ...toNames(target),
        author: flags.author === '' ? undefined : flags.author,
        comment: flags.message === '' ? undefined : flags.message,
        changes: flags.change,
        pause: flags.pause ? undefined : '0',
      },
    })
    await cli.stdout.write(`${Id}\n`)
    return 0
  },
})

function toNames(target: string | undefined): { readonly repo?: string; readonly tag?: string | undefined } {
  if (target === undefined) return {}
  const reference = withDefaultTag(parseReference(target))
  if (reference.digest !== undefined) throw invalid('refusing to create a tag with a digest reference')
  return { repo: familiarName(reference), tag: reference.tag }
}
