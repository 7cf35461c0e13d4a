import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { link, mkdir, mkdtemp, open, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { LinuxSpec, MountSpec, ProcessSpec, RuntimeSpec } from '#oci/runtime-spec.ts'
import { dockerCapabilities, dockerMounts } from '#test/support/docker-bundle.ts'
import { buildRuntimeProgram } from '#test/support/native-program.ts'

const execute = promisify(execFile)
const repository = join(import.meta.dirname, '..', '..', '..')
export const driver = join(repository, 'build/obj/test/runtime/driver')
const busybox = '/bin/busybox'

const dockerPaths = {
  maskedPaths: ['/proc/acpi', '/proc/interrupts', '/proc/kcore', '/proc/keys', '/proc/timer_list', '/sys/firmware'],
  readonlyPaths: ['/proc/bus', '/proc/fs', '/proc/irq', '/proc/sys', '/proc/sysrq-trigger'],
} as const

/** What a test changes of a container as Docker makes it. */
export interface ContainerOptions {
  /** Default: `true`. A string is a shell script. */
  readonly run?: string | readonly string[]
  readonly process?: Partial<ProcessSpec>
  readonly linux?: Partial<LinuxSpec>
  /** Behind Docker's own. */
  readonly mounts?: readonly MountSpec[]
  readonly onlyMounts?: readonly MountSpec[]
  readonly spec?: Partial<Pick<RuntimeSpec, 'hostname' | 'root' | 'hooks' | 'annotations'>>
  readonly keeper?: Readonly<Record<string, unknown>>
  readonly seccomp?: object
  /** Process objects, run one after the other while the container runs. */
  readonly execs?: readonly ExecOptions[]
  /** Files that go, opened, to the container's processes as descriptors from 3 on; `claimed` many are said to be there. */
  readonly preserved?: { readonly files: readonly string[]; readonly claimed: number }
  /** The root is moved over the host's instead of pivot_root(2). */
  readonly noPivot?: boolean
  /** A shell script that runs the container as `"$@"`, in a mount namespace of its own; its output is the container's too. */
  readonly around?: string
}

export interface ExecOptions extends Partial<ProcessSpec> {
  readonly linux?: Partial<LinuxSpec>
  /** Below the container's. */
  readonly cgroup?: string
}

export interface Failure {
  readonly step: string
  readonly errno: number
  readonly text: string
}

export interface ContainerResult {
  readonly output: string
  readonly failures: readonly Failure[]
  readonly exitCode: number | undefined
  readonly execCodes: readonly number[]
}

/** A directory with busybox and its applets (hard links) as a root filesystem, on the disk; containers run on it. */
export class BusyboxRoot implements AsyncDisposable {
  readonly path: string
  readonly rootfs: string
  readonly id = randomBytes(32).toString('hex')

  private constructor(path: string) {
    this.path = path
    this.rootfs = join(path, 'root')
  }

  static async make(): Promise<BusyboxRoot> {
    await buildRuntimeProgram('driver')
    const root = new BusyboxRoot(await mkdtemp(join('/var/tmp', 'berth-runtime-')))
    for (const name of ['bin', 'proc', 'sys', 'dev', 'etc', 'tmp'])
      await mkdir(join(root.rootfs, name), { recursive: true })
    await writeFile(join(root.rootfs, 'bin/busybox'), await readFile(busybox), { mode: 0o755 })
    const { stdout } = await execute(busybox, ['--list'])
    for (const applet of stdout.split('\n').filter((name) => name !== '' && name !== 'busybox'))
      await link(join(root.rootfs, 'bin/busybox'), join(root.rootfs, 'bin', applet))
    return root
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.path, { recursive: true, force: true })
  }

  get cgroup(): string {
    return `/berth-test-${this.id.slice(0, 12)}`
  }

  /** Its groups in all hierarchies, of which nothing is left when it is gone. Others' come and go beside them. */
  async cgroups(): Promise<string[]> {
    const names = await readdir('/sys/fs/cgroup')
    const places = ['', ...names].map((name) => join('/sys/fs/cgroup', name, this.cgroup))
    return places.filter((place) => existsSync(place))
  }

  async run(options: ContainerOptions = {}): Promise<ContainerResult> {
    const files = await this.#write(options)
    const report = await open(join(this.path, 'report'), 'w+')
    const output = await open(join(this.path, 'output'), 'w+')
    try {
      await this.#drive(files, options, output.fd, report.fd)
      return parse(await readFile(join(this.path, 'report'), 'utf8'), await readFile(join(this.path, 'output'), 'utf8'))
    } finally {
      await report.close()
      await output.close()
    }
  }

  async #drive(files: readonly string[], options: ContainerOptions, output: number, report: number): Promise<void> {
    const { around, preserved, noPivot } = options
    const handles = await Promise.all((preserved?.files ?? []).map((file) => open(file)))
    const { spawn } = await import('node:child_process')
    const shell = ['unshare', '-m', '--propagation', 'private', 'sh', '-c', around ?? '', 'sh']
    const [command = '', ...args] = [...(around === undefined ? [] : shell), driver, ...files]
    const child = spawn(command, args, {
      stdio: ['ignore', output, output, report, ...handles.map(({ fd }) => fd)],
      env: { ...process.env, PRESERVE: String(preserved?.claimed ?? 0), ...(noPivot ? { NO_PIVOT: '1' } : {}) },
    })
    await Promise.all(handles.map((handle) => handle.close()))
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    child.once('error', reject)
    child.once('exit', () => resolve())
    return promise
  }

  async #write(options: ContainerOptions): Promise<string[]> {
    const wanted = options.execs ?? []
    const documents: [string, object][] = [
      ['config.json', this.config(options)],
      ['keeper.json', this.keeper(options)],
      ...wanted.map(({ cgroup: _, ...exec }, i): [string, object] => [`exec${i}.json`, { ...processOf({}), ...exec }]),
    ]
    if (options.seccomp) documents.push(['seccomp.json', options.seccomp])
    for (const [name, document] of documents) await writeFile(join(this.path, name), JSON.stringify(document))
    const [config = '', keeper = ''] = documents.map(([name]) => join(this.path, name))
    const execs = wanted.map(({ cgroup }, i) =>
      join(this.path, `exec${i}.json${cgroup === undefined ? '' : `:${cgroup}`}`),
    )
    return [config, keeper, options.seccomp ? join(this.path, 'seccomp.json') : '-', ...execs]
  }

  config(options: ContainerOptions): RuntimeSpec {
    return {
      ociVersion: '1.3.0',
      hostname: 'berth-box',
      root: { path: 'rootfs' },
      process: processOf(options),
      mounts: options.onlyMounts ?? [...dockerMounts, ...(options.mounts ?? [])],
      linux: {
        namespaces: (['mount', 'pid', 'uts', 'ipc', 'cgroup', 'network'] as const).map((type) => ({ type })),
        cgroupsPath: this.cgroup,
        ...dockerPaths,
        ...(options.seccomp && { seccomp: options.seccomp }),
        ...options.linux,
      },
      ...options.spec,
    }
  }

  keeper(options: ContainerOptions): object {
    return {
      id: this.id,
      directory: this.path,
      stdin: { open: false, once: false },
      log: { driver: 'none' },
      rootfs: { kind: 'directory', path: this.rootfs },
      network: { kind: 'none' },
      ...options.keeper,
    }
  }
}

function processOf({ run = ['true'], process = {} }: ContainerOptions): ProcessSpec {
  return {
    user: { uid: 0, gid: 0 },
    args: typeof run === 'string' ? ['sh', '-c', run] : run,
    env: ['PATH=/usr/sbin:/usr/bin:/sbin:/bin'],
    cwd: '/',
    capabilities: {
      bounding: dockerCapabilities,
      effective: dockerCapabilities,
      permitted: dockerCapabilities,
      inheritable: [],
      ambient: [],
    },
    ...process,
  }
}

function parse(report: string, output: string): ContainerResult {
  const lines = report.split('\n')
  const exited = lines.map((line) => /^exited (\d+)$/.exec(line)?.[1]).find(Boolean)
  return {
    output: output.replaceAll('\r\n', '\n'),
    exitCode: exited === undefined ? undefined : Number(exited),
    execCodes: lines.flatMap((line) => /^exec \d+ exited (\d+)$/.exec(line)?.[1] ?? []).map(Number),
    failures: lines.flatMap((line) => {
      const [, step = '', errno = '', text = ''] =
        /^(plan|seccomp|create|children|start|exec \d+|released) ([1-9]\d*) (.*)$/.exec(line) ?? []
      return step === '' ? [] : [{ step, errno: Number(errno), text }]
    }),
  }
}
