import { isKind } from '#base/errors.ts'
import type { ImageDeleteItem } from '#contract/types.gen.ts'
import { imagePath, toPlatformJson } from '../../client/images.ts'
import { command } from '../../command.ts'
import { forEach } from '../../for-each.ts'
import { list, toggle } from '../../parsing/flag.ts'

export const rmiCommand = command({
  usage: '[OPTIONS] IMAGE [IMAGE...]',
  summary: 'Remove images, or names of images',
  flags: {
    force: toggle('force', 'Remove it although it is in use or has other names', { short: 'f' }),
    noPrune: toggle('no-prune', 'Keep parents that lose their last name'),
    platform: list('platform', 'Only this platform, as os[/arch[/variant]]', { word: 'strings' }),
  },
  least: 1,
  async run(cli, { flags, args }) {
    return await forEach(cli, args, async (name) => {
      try {
        const items = await cli.client.json<ImageDeleteItem[]>('DELETE', imagePath(name), {
          query: {
            force: flags.force,
            noprune: flags.noPrune,
            platforms: flags.platform.flatMap((platform) => toPlatformJson(platform) ?? []),
          },
        })
        return items
          .map(({ Deleted, Untagged }) => (Deleted ? `Deleted: ${Deleted}` : `Untagged: ${Untagged ?? ''}`))
          .join('\n')
      } catch (error) {
        // "rmi -f" asks for a state: what is not there is already removed.
        if (!flags.force || !isKind(error, 'not-found')) throw error
        await cli.stderr.write(`${error.message}\n`)
        return undefined
      }
    })
  },
})
