import type { ContainerDefaults, ContainerIdentity } from '#oci/image-config.ts'
import { familiarReference, type Reference } from '#oci/reference.ts'
import type { ContainerConfig } from './container.ts'
import { eventOf } from './container-events.ts'
import type { ContainerContext } from './context.ts'
import { holdStill } from './hold-still.ts'
import { checkStillThere, getReadable, readFiles } from './reading.ts'

export interface CommitRequest {
  /** Takes the place of the container's config, which fills in what it leaves open. */
  readonly config: ContainerConfig | undefined
  /** Dockerfile instructions that change the config. */
  readonly changes: readonly string[]
  readonly author: string
  readonly comment: string
  /** Freezes the container while its files are read. */
  readonly pause: boolean
  /** With its tag. */
  readonly reference: Reference | undefined
}

/** Makes an image of the container as it is.   @returns its id   @throws `not-found`, `conflict`, `invalid` in Docker's words */
export async function commitContainer(
  context: ContainerContext,
  name: string,
  { request, signal }: { readonly request: CommitRequest; readonly signal: AbortSignal },
): Promise<string> {
  const container = getReadable(context, name, 'commit')
  const { id, config, imageId, imageRoot } = container
  const { author, comment, reference, changes } = request
  // The pause is for one of them.
  using _turn = await context.locks.acquire(`commit ${id}`, signal)
  await using _pause = request.pause ? await holdStill(context, id) : undefined
  const imageRef = reference ? familiarReference(reference) : ''
  const work = () =>
    context.images.commit(
      {
        parent: { id: imageId, root: imageRoot },
        snapshot: id,
        container: { id, identity: toIdentity(config) },
        config: toDefaults(config),
        asked: request.config && toDefaults(request.config),
        changes,
        createdBy: (config.cmd ?? []).join(' '),
        author,
        comment,
        reference,
        check: () => checkStillThere(context, id),
        events: (image) => [
          eventOf(context.store.find(id) ?? container, 'commit', { comment, imageID: image, imageRef }),
        ],
      },
      signal,
    )
  return await readFiles(context, id, work)
}

function toIdentity(config: ContainerConfig): ContainerIdentity {
  return {
    Hostname: config.hostname,
    Domainname: config.domainname,
    AttachStdin: config.attachStdin,
    AttachStdout: config.attachStdout,
    AttachStderr: config.attachStderr,
    Tty: config.tty,
    OpenStdin: config.openStdin,
    StdinOnce: config.stdinOnce,
    Image: config.image,
  }
}

function toDefaults(config: ContainerConfig): ContainerDefaults {
  const set = (names: readonly string[]) => Object.fromEntries(names.map((name) => [name, {}]))
  return {
    User: config.user,
    ...(config.exposedPorts.length > 0 && { ExposedPorts: set(config.exposedPorts) }),
    ...(config.env.length > 0 && { Env: config.env }),
    ...(config.entrypoint && { Entrypoint: config.entrypoint }),
    ...(config.cmd && { Cmd: config.cmd }),
    ...(config.volumes.length > 0 && { Volumes: set(config.volumes) }),
    WorkingDir: config.workingDir,
    Labels: config.labels,
    ...(config.stopSignal !== undefined && { StopSignal: config.stopSignal }),
    ...(config.healthcheck && { Healthcheck: config.healthcheck }),
    ...(config.shell && { Shell: config.shell }),
  }
}
