import type { ImageSummary, Network, VolumeList } from '#contract/types.gen.ts'
import type { Cli } from '../cli.ts'
import { defaultDescription, defaultName } from '../contexts/context.ts'
import type { NameSource } from './sources.ts'

export interface Candidate {
  readonly word: string
  readonly about?: string
}

interface ListedContainer {
  readonly Names: readonly string[]
  readonly Image: string
}

/** What of this kind there is.   @throws whatever the engine says */
export async function namesOf(cli: Cli, source: NameSource): Promise<Candidate[]> {
  const { client, contexts } = cli
  switch (source) {
    case 'container':
      return await containers(cli)
    case 'running':
    case 'paused':
      return await containers(cli, [source])
    case 'stopped':
      return await containers(cli, ['created', 'exited'])
    case 'image': {
      const images = await client.json<readonly ImageSummary[]>('GET', '/images/json')
      const tags = images.flatMap(({ RepoTags }) => RepoTags ?? []).filter((tag) => !tag.includes('<none>'))
      return tags.map((word) => ({ word }))
    }
    case 'volume': {
      const { Volumes } = await client.json<VolumeList>('GET', '/volumes')
      return (Volumes ?? []).map(({ Name, Driver }) => ({ word: Name, about: Driver }))
    }
    case 'network': {
      const networks = await client.json<readonly Network[]>('GET', '/networks')
      return networks.map(({ Name, Driver }) => ({ word: Name, about: Driver }))
    }
    case 'context':
      return [
        { word: defaultName, about: defaultDescription },
        ...contexts.store.list().map(({ Name, Metadata: { Description: about = '' } }) => ({ word: Name, about })),
      ]
    case 'object': {
      const kinds = ['container', 'image', 'network', 'volume'] as const
      return (await Promise.all(kinds.map((kind) => namesOf(cli, kind)))).flat()
    }
  }
  source satisfies never
}

async function containers({ client }: Cli, states?: readonly string[]): Promise<Candidate[]> {
  const filters = states && JSON.stringify({ status: Object.fromEntries(states.map((state) => [state, true])) })
  const found = await client.json<readonly ListedContainer[]>('GET', '/containers/json', {
    query: { all: true, filters },
  })
  return found.flatMap(({ Names: [name = ''], Image }) => ({ word: name.replace(/^\//, ''), about: Image }))
}
