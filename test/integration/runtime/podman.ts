import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, readdir, rm, rmdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { busyboxLayer } from '../../support/base-image.ts'

const repository = join(import.meta.dirname, '..', '..', '..')

export interface Answer {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

/** Debian's podman with storage of its own, no network, and our command as its runtime. Its image is called `busybox`. */
export class Podman implements AsyncDisposable {
  readonly path: string

  private constructor(path: string) {
    this.path = path
  }

  static async start(): Promise<Podman> {
    const podman = new Podman(await mkdtemp('/var/tmp/berth-podman-'))
    await mkdir(join(podman.path, 'hooks'))
    // What podman asks for by default exceeds what this machine's root may have.
    await writeFile(join(podman.path, 'containers.conf'), '[containers]\ndefault_ulimits = []\n')
    await writeFile(join(podman.path, 'image.tar'), busyboxLayer())
    await podman.get('import', '--quiet', join(podman.path, 'image.tar'), 'busybox')
    return podman
  }

  run(...args: readonly string[]): Promise<Answer> {
    const { promise, resolve } = Promise.withResolvers<Answer>()
    const child = execFile('podman', [...this.#global(), ...args], { env: this.env }, (error, stdout, stderr) => {
      resolve({ code: typeof error?.code === 'number' ? error.code : error ? -1 : 0, stdout, stderr })
    })
    child.stdin?.end()
    return promise
  }

  /** The output of what must succeed. */
  async get(...args: readonly string[]): Promise<string> {
    const { code, stdout, stderr } = await this.run(...args)
    if (code !== 0) throw new Error(`podman ${args.join(' ')} answered ${code}: ${stderr}`)
    return stdout
  }

  get env(): NodeJS.ProcessEnv {
    return { ...process.env, CONTAINERS_CONF: join(this.path, 'containers.conf') }
  }

  argv(...args: readonly string[]): string[] {
    return ['podman', ...this.#global(), ...args]
  }

  #global(): string[] {
    const directories = ['--root', 'root', '--runroot', 'run', '--tmpdir', 'tmp', '--hooks-dir', 'hooks']
    return [
      ...directories.map((word, index) => (index % 2 === 0 ? word : join(this.path, word))),
      ...['--storage-driver', 'vfs', '--cgroup-manager', 'cgroupfs', '--events-backend', 'file'],
      ...['--runtime', join(repository, 'build/native/berth-runtime')],
    ]
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.run('pod', 'rm', '--all', '--force', '--time', '0')
    await this.run('rm', '--all', '--force', '--time', '0')
    await rm(this.path, { recursive: true, force: true })
    await removeEmptyGroups()
    // podman leaves the runtime's states where they are by default: the flag for another place is unknown to its clean-up.
    await rmdir('/run/berth-runtime').catch(() => undefined)
  }
}

/** podman never removes the groups above its containers; those that another podman uses are not empty. */
async function removeEmptyGroups(): Promise<void> {
  const top = '/sys/fs/cgroup'
  for (const hierarchy of ['', ...(await readdir(top))]) {
    const parent = join(top, hierarchy, 'libpod_parent')
    const groups = await readdir(parent, { withFileTypes: true }).catch(() => [])
    for (const group of groups) if (group.isDirectory()) await rmdir(join(parent, group.name)).catch(() => undefined)
    await rmdir(parent).catch(() => undefined)
  }
}
