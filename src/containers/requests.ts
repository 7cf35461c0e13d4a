import type { Duplex } from 'node:stream'
import type { Filters } from '#base/filters.ts'
import type { Attachment } from '#network/attachment.ts'
import type { EndpointView } from '#network/endpoint.ts'
import type { Container, ContainerConfig, HostSettings, RestartPolicy } from './container.ts'
import type { ShownPorts } from './published.ts'
import type { ShownSandbox } from './shown-sandbox.ts'
import type { Limits } from './validate-resources.ts'

export interface CreateRequest {
  readonly name: string | undefined
  readonly platform: string | undefined
  readonly config: ContainerConfig
  readonly host: HostSettings
  /** Wishes for networks, that of its NetworkMode among them. */
  readonly attachments: readonly Attachment[]
}

/** What is 0, empty or undefined stays as it is. */
export interface UpdateRequest {
  /** `pidsLimit` of 0 or below: unlimited. */
  readonly limits: Limits
  readonly restartPolicy: RestartPolicy | undefined
}

/** What inspect and list show beyond the record. */
export interface ContainerView {
  readonly container: Container
  readonly endpoints: readonly EndpointView[]
  readonly ports: ShownPorts
  readonly sandbox: ShownSandbox
  readonly execIds: readonly string[]
  /** '' where there is no AppArmor. */
  readonly appArmorProfile: string
  readonly paths: {
    readonly hostname: string
    readonly hosts: string
    readonly resolvConf: string
    readonly log: string
  }
  readonly graph: { readonly name: string; readonly data: Readonly<Record<string, string>> }
  /** Config after image defaults, for display. */
  readonly effective: {
    readonly env: readonly string[]
    readonly cmd: readonly string[] | null
    readonly entrypoint: readonly string[] | null
    readonly workingDir: string
    readonly user: string
    readonly labels: Readonly<Record<string, string>>
    readonly exposedPorts: readonly string[]
    readonly volumes: readonly string[]
    readonly stopSignal: string | undefined
  }
  /** Bytes written in the container's own layer, and of the whole root; only when asked for. */
  readonly sizes: { readonly rw: number; readonly rootfs: number } | undefined
}

export interface ListRequest {
  readonly all: boolean
  readonly limit: number | undefined
  readonly size: boolean
  readonly filters: Filters
}

export type WaitCondition = 'not-running' | 'next-exit' | 'removed'

export interface LogRequest {
  readonly stdout: boolean
  readonly stderr: boolean
  readonly follow: boolean
  /** Lines from the end; undefined: all. */
  readonly tail: number | undefined
  readonly since: bigint | undefined
  readonly until: bigint | undefined
}

export interface LogEntry {
  readonly stream: 'stdout' | 'stderr'
  /** Nanoseconds since 1970. */
  readonly time: bigint
  /** The line with its newline, if it had one. */
  readonly line: Buffer
}

export interface ExecRequest {
  readonly cmd: readonly string[]
  readonly env: readonly string[]
  readonly user: string
  readonly workingDir: string
  readonly tty: boolean
  readonly privileged: boolean
  readonly attachStdin: boolean
  readonly attachStdout: boolean
  readonly attachStderr: boolean
  readonly detachKeys: string
  readonly consoleSize: readonly [height: number, width: number] | undefined
}

export interface ExecView {
  readonly id: string
  readonly containerId: string
  readonly request: ExecRequest
  readonly running: boolean
  /** Null until it has ended. */
  readonly exitCode: number | null
  readonly pid: number
  /** The command line, split as inspect shows it. */
  readonly entrypoint: string
  readonly arguments: readonly string[]
}

/** A live connection to a task's stdio; write ends are closed by `end()`, output ends with the task (or by detach keys). */
export interface AttachedStream {
  readonly stream: Duplex
  readonly tty: boolean
}
