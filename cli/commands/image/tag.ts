import { invalid, messageOf } from '#base/errors.ts'
import { parseReference, withDefaultTag } from '#oci/reference.ts'
import { imagePath } from '../../client/images.ts'
import { command } from '../../command.ts'

export const tagCommand = command({
  usage: 'SOURCE_IMAGE[:TAG] TARGET_IMAGE[:TAG]',
  summary: 'Give an image a further name',
  flags: {},
  least: 2,
  most: 2,
  async run(cli, { args: [source = '', target = ''] }) {
    const { domain, path, tag, digest } = withDefaultTag(parseTarget(target))
    if (digest !== undefined) throw invalid('refusing to create a tag with a digest reference')
    await cli.client.send('POST', imagePath(source, '/tag'), { query: { repo: `${domain}/${path}`, tag } })
    return 0
  },
})

/** @throws `invalid` in docker's words */
function parseTarget(target: string): ReturnType<typeof parseReference> {
  try {
    return parseReference(target)
  } catch (error) {
    const why = messageOf(error)
    throw invalid(`Error parsing reference: ${JSON.stringify(target)} is not a valid repository/tag: ${why}`, {
      cause: error,
    })
  }
}
