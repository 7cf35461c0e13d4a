import { invalid, isKind } from '#base/errors.ts'
import type { Filters } from '#base/filters.ts'
import type { Container } from './container.ts'
import type { ContainerContext } from './context.ts'
import { sizesOf, toView } from './inspect.ts'
import { isRunning } from './lifecycle.ts'
import type { ContainerView, ListRequest } from './requests.ts'
import { toAttached } from './sandbox-request.ts'

const keys =
  `ancestor before exited expose health id is-task isolation label name network publish since status volume`.split(' ')
const statuses = ['created', 'running', 'paused', 'restarting', 'removing', 'exited', 'dead']
const healths = ['none', 'starting', 'healthy', 'unhealthy']

/** Newest first.   @throws `invalid` for an unknown filter or value, `not-found` for the container of `before` and `since` */
export async function list(context: ContainerContext, request: ListRequest): Promise<ContainerView[]> {
  const { filters, limit } = request
  filters.allowOnly(keys)
  for (const status of filters.get('status')) checkWord('status', status, { what: 'state', words: statuses })
  for (const health of filters.get('health')) checkWord('health', health, { what: 'health', words: healths })
  const matches = matcher(context, filters)
  const showsStopped = request.all || (limit ?? 0) > 0 || filters.has('status')
  const found = context.store.all().filter((one) => (showsStopped || isRunning(one)) && matches(one))
  const chosen = limit !== undefined && limit > 0 ? found.slice(0, limit) : found
  const views = chosen.map((one) => toView(context, one))
  if (!request.size) return views
  return Promise.all(views.map(async (view) => ({ ...view, sizes: await sizesOf(context, view.container) })))
}

function checkWord(key: string, value: string, { what, words }: { what: string; words: readonly string[] }): void {
  if (words.includes(value)) return
  throw invalid(
    `invalid filter '${key}=${value}': invalid value for ${what} (${value}): must be one of ${words.join(', ')}`,
  )
}

function matcher(context: ContainerContext, filters: Filters): (container: Container) => boolean {
  const { store } = context
  const before = filters.get('before').map((name) => store.get(name).createdAt)
  const since = filters.get('since').map((name) => store.get(name).createdAt)
  const images = ancestors(context, filters.get('ancestor'))
  const exits = filters.get('exited').map(parseExit)
  // There are no tasks of a swarm.
  const impossible = filters.boolean('is-task') === true
  return (container) =>
    !impossible &&
    matchesPrefix(filters.get('id'), container.id) &&
    matchesName(filters, container.name) &&
    filters.matchesExactly('status', container.state.status) &&
    filters.matchesExactly('health', container.state.health?.status ?? 'none') &&
    filters.matchesLabels(container.config.labels) &&
    (exits.length === 0 || hasExited(container, exits)) &&
    before.every((time) => container.createdAt < time) &&
    since.every((time) => container.createdAt > time) &&
    (!images || images.has(container.imageId) || images.has(container.config.image)) &&
    matchesPublished(context, filters.get('publish'), container) &&
    matchesExposed(filters.get('expose'), container.config.exposedPorts) &&
    matchesVolume(filters.get('volume'), container) &&
    matchesNetwork(context, filters.get('network'), container)
}

function matchesPrefix(wanted: readonly string[], id: string): boolean {
  return wanted.length === 0 || wanted.some((prefix) => id.startsWith(prefix))
}

/** Names are matched with and without their slash: `^/web$` and `^web$` both find it. */
function matchesName(filters: Filters, name: string): boolean {
  return filters.matches('name', name) || filters.matches('name', `/${name}`)
}

function parseExit(text: string): number {
  const code = Number(text)
  if (!Number.isInteger(code))
    throw invalid(`invalid filter 'exited=${text}': strconv.Atoi: parsing ${JSON.stringify(text)}: invalid syntax`)
  return code
}

function hasExited({ state }: Container, codes: readonly number[]): boolean {
  return state.status === 'exited' && state.startedAt !== undefined && codes.includes(state.exitCode)
}

/** Ids and names of the asked images; one that is not there is still known by the name a container was made with. */
function ancestors({ images }: ContainerContext, names: readonly string[]): Set<string> | undefined {
  if (names.length === 0) return undefined
  return new Set(names.flatMap((name) => [name, ...idOf(images, name)]))
}

function idOf(images: ContainerContext['images'], name: string): string[] {
  try {
    return [images.getForContainer(name).id]
  } catch (error) {
    if (isKind(error, 'not-found') || isKind(error, 'invalid')) return []
    throw error
  }
}

function matchesExposed(wanted: readonly string[], exposed: readonly string[]): boolean {
  if (wanted.length === 0) return true
  return wanted.some((port) => exposed.includes(port.includes('/') ? port : `${port}/tcp`))
}

/** By the volume's name, a bind's source, or where it is mounted. */
function matchesVolume(wanted: readonly string[], { mounts }: Container): boolean {
  if (wanted.length === 0) return true
  const shown = mounts.filter(({ origin }) => origin !== 'tmpfs')
  return shown.some(
    ({ name, source, target }) => wanted.includes(name === '' ? source : name) || wanted.includes(target),
  )
}

function matchesPublished({ network }: ContainerContext, wanted: readonly string[], { id }: Container): boolean {
  if (wanted.length === 0) return true
  const published = network.publishedPorts(id).map(({ port, protocol }) => `${port}/${protocol}`)
  return matchesExposed(wanted, published)
}

function matchesNetwork({ network }: ContainerContext, wanted: readonly string[], container: Container): boolean {
  if (wanted.length === 0) return true
  const endpoints = network.endpoints(toAttached(container))
  return endpoints.some((one) => wanted.some((name) => name === one.network || one.networkId.startsWith(name)))
}
