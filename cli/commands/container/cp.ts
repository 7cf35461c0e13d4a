import { invalid } from '#base/errors.ts'
import { command } from '../../command.ts'
import { parsePlace } from '../../copy/copy-spec.ts'
import { toggle } from '../../parsing/flag.ts'

export const cpCommand = command({
  usage: '[OPTIONS] CONTAINER:SRC_PATH DEST_PATH|- , or SRC_PATH|- CONTAINER:DEST_PATH',
  summary: 'Copy files from and to containers',
  flags: {
    archive: toggle('archive', 'Give what is copied to the user of the container', { short: 'a' }),
    followLink: toggle('follow-link', 'Copy what a symlink SRC_PATH leads to', { short: 'L' }),
    quiet: toggle('quiet', 'Do not tell what was copied', { short: 'q' }),
  },
  least: 2,
  most: 2,
  async run(cli, { flags, args: [first = '', second = ''] }) {
    if (first === '') throw invalid('source can not be empty')
    if (second === '') throw invalid('destination can not be empty')
    const [from, to] = [parsePlace(first), parsePlace(second)]
    if (from.container !== undefined && to.container !== undefined) {
      throw invalid('copying between containers is not supported')
    }
    const { followLink, archive } = flags
    const { copyFromContainer } = await import('../../copy/from-container.ts')
    const { copyToContainer } = await import('../../copy/to-container.ts')
    if (from.container !== undefined) {
      await copyFromContainer(cli, { container: from.container, path: from.path, to: to.path, followLink })
    } else if (to.container !== undefined) {
      await copyToContainer(cli, { from: from.path, container: to.container, path: to.path, followLink, archive })
    } else throw invalid('must specify at least one container source')
    if (!flags.quiet && cli.stderr.isTerminal && second !== '-')
      await cli.stderr.write(`Successfully copied to ${second}\n`)
    return 0
  },
})
