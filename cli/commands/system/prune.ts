import { invalid } from '#base/errors.ts'
import type {
  BuildPruneReport,
  ContainerPruneReport,
  ImagePruneReport,
  NetworkPruneReport,
  VolumePruneReport,
} from '#contract/types.gen.ts'
import { command } from '../../command.ts'
import { pruneFilterFlag, toFilterQuery } from '../../options/filter.ts'
import {
  formatDeletedContainers,
  formatDeletedImages,
  formatDeletedVolumes,
  formatReclaimed,
} from '../../output/prune-report.ts'
import { toggle } from '../../parsing/flag.ts'
import { confirm } from '../../terminal/confirm.ts'

export const pruneCommand = command({
  usage: '[OPTIONS]',
  summary: 'Remove everything that nothing uses',
  flags: {
    all: toggle('all', 'Every image without a container, not only those without a name', { short: 'a' }),
    filter: pruneFilterFlag(),
    force: toggle('force', 'Do not ask', { short: 'f' }),
    volumes: toggle('volumes', 'Volumes without a name, too'),
  },
  least: 0,
  most: 0,
  async run(cli, { flags }) {
    if (flags.volumes && flags.filter.some((one) => one.startsWith('until='))) {
      throw invalid('ERROR: The "until" filter is not supported with "--volumes"')
    }
    if (!flags.force) await confirm(cli, warningOf(flags), 'system prune')
    const prune = <T>(kind: string, ...more: readonly string[]) =>
      cli.client.json<T>('POST', `/${kind}/prune`, { query: { filters: toFilterQuery([...flags.filter, ...more]) } })
    const containers = await prune<ContainerPruneReport>('containers')
    await cli.stdout.write(formatDeletedContainers(containers))
    const { NetworksDeleted } = await prune<NetworkPruneReport>('networks')
    if (NetworksDeleted?.length) await cli.stdout.write(`Deleted Networks:\n${NetworksDeleted.join('\n')}\n\n`)
    const volumes = flags.volumes ? await prune<VolumePruneReport>('volumes') : undefined
    if (volumes) await cli.stdout.write(formatDeletedVolumes(volumes))
    const images = await prune<ImagePruneReport>('images', `dangling=${!flags.all}`)
    await cli.stdout.write(formatDeletedImages(images))
    const caches = await prune<BuildPruneReport>('build')
    const reclaimed =
      containers.SpaceReclaimed + (volumes?.SpaceReclaimed ?? 0) + images.SpaceReclaimed + caches.SpaceReclaimed
    await cli.stdout.write(formatReclaimed(reclaimed))
    return 0
  },
})

function warningOf({ all, volumes }: { readonly all: boolean; readonly volumes: boolean }): string {
  return [
    'WARNING! This will remove:',
    '  - all stopped containers',
    '  - all networks not used by at least one container',
    ...(volumes ? ['  - all anonymous volumes not used by at least one container'] : []),
    all ? '  - all images without at least one container associated to them' : '  - all dangling images',
    all ? '  - all build cache' : '  - unused build cache',
    '',
  ].join('\n')
}
