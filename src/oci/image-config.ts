import { type Digest, parseDigest } from '#base/digest.ts'
import { JsonReader } from './json.ts'

/** No image config is larger than this. */
export const imageConfigSizeLimit = 4 << 20

/** What a container of the image runs, unless told otherwise. @see image-spec v1.1 config.md */
export interface ContainerDefaults {
  readonly User?: string
  readonly ExposedPorts?: Readonly<Record<string, object>>
  readonly Env?: readonly string[]
  readonly Entrypoint?: readonly string[]
  readonly Cmd?: readonly string[]
  readonly Volumes?: Readonly<Record<string, object>>
  readonly WorkingDir?: string
  readonly Labels?: Readonly<Record<string, string>>
  readonly StopSignal?: string
  readonly Healthcheck?: object
  readonly OnBuild?: readonly string[]
  readonly Shell?: readonly string[]
  readonly ArgsEscaped?: boolean
}

/** What a container's config says beside that, in Docker's names. */
export interface ContainerIdentity {
  readonly Hostname: string
  readonly Domainname: string
  readonly AttachStdin: boolean
  readonly AttachStdout: boolean
  readonly AttachStderr: boolean
  readonly Tty: boolean
  readonly OpenStdin: boolean
  readonly StdinOnce: boolean
  /** As the user named it. */
  readonly Image: string
}

export interface HistoryEntry {
  readonly created?: string
  readonly created_by?: string
  readonly author?: string
  readonly comment?: string
  readonly empty_layer?: boolean
}

/** The config JSON of an image, whose digest is the image id. */
export interface ImageConfig {
  readonly created?: string
  readonly author?: string
  readonly architecture: string
  readonly os: string
  readonly variant?: string
  readonly config: ContainerDefaults
  readonly diffIds: readonly Digest[]
  readonly history: readonly HistoryEntry[]
  /** Docker's own, of an image that was committed: the container's id and config, and the engine that did it. */
  readonly container?: string
  readonly containerConfig?: ContainerDefaults & Partial<ContainerIdentity>
  readonly dockerVersion?: string
}

/** An image config that is to be written; the layers are added by `formatImageConfig`. */
export interface ImageConfigDocument {
  readonly architecture: string
  readonly os: string
  readonly variant?: string
  /** RFC 3339. */
  readonly created: string
  readonly author?: string
  readonly comment?: string
  /** What containers run: `ContainerDefaults`, in the order in which it shall stand there. */
  readonly config: object
  readonly history: readonly HistoryEntry[]
  /** Docker's own, of a committed image; the config as `config` has it. */
  readonly container?: string
  readonly container_config?: object
  readonly docker_version?: string
}

/** The config's bytes as Docker writes them, so that the same image has the same id: members sorted by name, Go's escapes. */
export function formatImageConfig(document: ImageConfigDocument, diffIds: readonly Digest[]): string {
  const members = Object.entries({ ...document, rootfs: { type: 'layers', diff_ids: diffIds } })
  const sorted = Object.fromEntries(members.toSorted(([a], [b]) => (a < b ? -1 : 1)))
  return JSON.stringify(sorted).replaceAll(
    /[<>&\u2028\u2029]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}

/** @throws `invalid` naming the field */
export function parseImageConfig(text: string, what: string): ImageConfig {
  const reader = JsonReader.parse(text, what)
  const optionalText = (name: string) => reader.field(name).optional((field) => field.string())
  const created = optionalText('created')
  const author = optionalText('author')
  const variant = optionalText('variant')
  const container = optionalText('container')
  const containerConfig = reader.field('container_config').optional(readContainerConfig)
  const dockerVersion = optionalText('docker_version')
  const rootfs = reader.field('rootfs')
  return {
    architecture: reader.field('architecture').string(),
    os: reader.field('os').string(),
    config: reader.field('config').optional(readDefaults) ?? {},
    diffIds:
      rootfs.optional((found) =>
        found
          .field('diff_ids')
          .array(1000)
          .map((id) => parseDigest(id.string())),
      ) ?? [],
    history: reader.field('history').optional((list) => list.array(10_000).map(readHistory)) ?? [],
    ...(created !== undefined && { created }),
    ...(author !== undefined && { author }),
    ...(variant !== undefined && variant !== '' && { variant }),
    ...(container !== undefined && { container }),
    ...(containerConfig && { containerConfig }),
    ...(dockerVersion !== undefined && { dockerVersion }),
  }
}

function readContainerConfig(reader: JsonReader): ContainerDefaults & Partial<ContainerIdentity> {
  const text = (field: JsonReader) => field.string()
  const flag = (field: JsonReader) => field.boolean()
  const entries: Record<keyof ContainerIdentity, unknown> = {
    Hostname: reader.field('Hostname').optional(text),
    Domainname: reader.field('Domainname').optional(text),
    AttachStdin: reader.field('AttachStdin').optional(flag),
    AttachStdout: reader.field('AttachStdout').optional(flag),
    AttachStderr: reader.field('AttachStderr').optional(flag),
    Tty: reader.field('Tty').optional(flag),
    OpenStdin: reader.field('OpenStdin').optional(flag),
    StdinOnce: reader.field('StdinOnce').optional(flag),
    Image: reader.field('Image').optional(text),
  }
  const known = Object.entries(entries).filter(([, value]) => value !== undefined)
  return { ...readDefaults(reader), ...(Object.fromEntries(known) as Partial<ContainerIdentity>) }
}

function readDefaults(reader: JsonReader): ContainerDefaults {
  const text = (field: JsonReader) => field.string()
  const list = (field: JsonReader) => field.stringArray(10_000)
  const set = (field: JsonReader) => Object.fromEntries(Object.keys(field.object()).map((key) => [key, {}]))
  const entries: Record<keyof ContainerDefaults, unknown> = {
    User: reader.field('User').optional(text),
    ExposedPorts: reader.field('ExposedPorts').optional(set),
    Env: reader.field('Env').optional(list),
    Entrypoint: reader.field('Entrypoint').optional(list),
    Cmd: reader.field('Cmd').optional(list),
    Volumes: reader.field('Volumes').optional(set),
    WorkingDir: reader.field('WorkingDir').optional(text),
    Labels: reader.field('Labels').optional((field) => field.stringMap()),
    StopSignal: reader.field('StopSignal').optional(text),
    Healthcheck: reader.field('Healthcheck').optional((field) => field.object()),
    OnBuild: reader.field('OnBuild').optional(list),
    Shell: reader.field('Shell').optional(list),
    ArgsEscaped: reader.field('ArgsEscaped').optional((field) => field.boolean()),
  }
  return Object.fromEntries(Object.entries(entries).filter(([, value]) => value !== undefined)) as ContainerDefaults
}

function readHistory(reader: JsonReader): HistoryEntry {
  const entries: Record<keyof HistoryEntry, unknown> = {
    created: reader.field('created').optional((field) => field.string()),
    created_by: reader.field('created_by').optional((field) => field.string()),
    author: reader.field('author').optional((field) => field.string()),
    comment: reader.field('comment').optional((field) => field.string()),
    empty_layer: reader.field('empty_layer').optional((field) => field.boolean()),
  }
  return Object.fromEntries(Object.entries(entries).filter(([, value]) => value !== undefined)) as HistoryEntry
}
