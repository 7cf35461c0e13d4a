import assert from 'node:assert/strict'
import { copyFileSync, linkSync, mkdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type BundleOptions, dockerConfig, minimalConfig } from '../../support/docker-bundle.ts'
import type { ProcessorAccount } from './processor-account.ts'

export const configs = { docker: dockerConfig, minimal: minimalConfig }
export type ConfigName = keyof typeof configs

/** One way to run a container from start to end. */
export interface Subject {
  readonly name: string
  /** Milliseconds of processor time of a container that runs `true`. */
  run(config: ConfigName): Promise<number>
  /** What a container of the docker configuration says of itself. */
  probe(): Promise<string>
}

/** A busybox root filesystem.   @returns its path */
export function makeRootfs(directory: string): string {
  const rootfs = join(directory, 'rootfs')
  for (const name of ['bin', 'proc', 'sys', 'dev', 'etc', 'tmp']) mkdirSync(join(rootfs, name), { recursive: true })
  copyFileSync('/bin/busybox', join(rootfs, 'bin/busybox'))
  for (const applet of ['true', 'sh', 'cat', 'grep', 'readlink', 'sleep', 'yes', 'head'])
    linkSync(join(rootfs, 'bin/busybox'), join(rootfs, 'bin', applet))
  return rootfs
}

const namespaces = ['mnt', 'pid', 'uts', 'ipc', 'net', 'cgroup'] as const
const cgroupFiles = ['memory/memory.limit_in_bytes', 'memory.max', 'pids/pids.max', 'pids.max']
export const probeArguments = [
  'sh',
  '-c',
  `grep -E '^(Seccomp|CapEff):' /proc/self/status; for n in ${namespaces.join(' ')}; do readlink /proc/self/ns/$n; done; ` +
    `for f in ${cgroupFiles.join(' ')}; do [ ! -e /sys/fs/cgroup/$f ] || echo "$f $(cat /sys/fs/cgroup/$f)"; done; ` +
    'cat /proc/kcore | head -c 1; echo x 2>/dev/null >/proc/sys/kernel/hostname; cat /proc/sys/kernel/hostname',
]

/** Before a subject's time counts: nothing of the configuration is left out.   @throws otherwise */
export async function assertNothingSkipped(subject: Subject): Promise<void> {
  const text = await subject.probe()
  const says = (pattern: RegExp, what: string) => assert.match(text, pattern, `${subject.name}: ${what}`)
  says(/^Seccomp:\s+2$/m, 'the system call filter is on')
  says(/^CapEff:\s+00000000a80425fb$/m, "the capabilities are Docker's")
  says(/^memory\S* 67108864$/m, 'memory is limited')
  says(/^pids\S* 50$/m, 'processes are limited')
  says(/^box$/m, 'the host name is set, and read-only')
  for (const name of namespaces) {
    const inside = new RegExp(`^${name}:\\[\\d+\\]$`, 'm').exec(text)?.[0]
    assert.ok(inside, `${subject.name}: the ${name} namespace was read`)
    assert.notEqual(inside, readlinkSync(`/proc/self/ns/${name}`), `${subject.name}: the ${name} namespace is its own`)
  }
}

/** A runtime by its command line: `PROGRAM --root DIRECTORY run --bundle DIRECTORY ID`. */
export class CommandSubject implements Subject {
  readonly name: string
  readonly #program: string
  readonly #account: ProcessorAccount
  readonly #directory: string
  readonly #states: string
  readonly #rootfs: string

  /** @param states where runtimes keep what they know, in memory as on every host */
  constructor(program: string, account: ProcessorAccount, directory: string, states: string, rootfs: string) {
    this.name = program.split('/').at(-1) ?? program
    this.#program = program
    this.#account = account
    this.#directory = join(directory, this.name)
    this.#states = join(states, this.name)
    this.#rootfs = rootfs
    for (const config of ['docker', 'minimal'] as const) this.#write(config, config, ['true'])
    this.#write('probe', 'docker', probeArguments)
  }

  async run(config: ConfigName): Promise<number> {
    const before = this.#account.read()
    await this.#account.run(this.#command(config))
    return Number(this.#account.read() - before) / 1e6
  }

  async probe(): Promise<string> {
    const output = join(this.#directory, 'probe.txt')
    await this.#account.run(this.#command('probe'), output)
    return readFileSync(output, 'utf8')
  }

  #command(bundle: string): string[] {
    return [
      this.#program,
      '--root',
      this.#states,
      'run',
      '--bundle',
      join(this.#directory, bundle),
      `bench-${process.pid}`,
    ]
  }

  #write(name: string, config: ConfigName, args: readonly string[]): void {
    const options: BundleOptions = { rootfs: this.#rootfs, args, cgroup: this.#account.containerGroup }
    mkdirSync(join(this.#directory, name), { recursive: true })
    writeFileSync(join(this.#directory, name, 'config.json'), JSON.stringify(configs[config](options)))
  }
}
