/** Containers of a busybox root filesystem, each in a directory of its own, driven through a real shim. */
import { linkSync, mkdirSync, symlinkSync } from 'node:fs'
import { copyFile, mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { newId } from '#base/ids.ts'

const applets = [
  'sh',
  'cat',
  'echo',
  'sleep',
  'true',
  'stty',
  'dd',
  'yes',
  'head',
  'tr',
  'kill',
  'printf',
  'seq',
  'usleep',
  'ls',
  'id',
  'grep',
  'test',
]

export interface TestRoot extends AsyncDisposable {
  readonly directory: string
  readonly rootfs: string
}

export async function makeRoot(): Promise<TestRoot> {
  const directory = await mkdtemp(join(tmpdir(), 'berth-shim-'))
  const rootfs = join(directory, 'rootfs')
  for (const name of ['bin', 'sbin', 'proc', 'dev', 'tmp', 'etc']) mkdirSync(join(rootfs, name), { recursive: true })
  await copyFile('/bin/busybox', join(rootfs, 'bin/busybox'))
  for (const applet of applets) linkSync(join(rootfs, 'bin/busybox'), join(rootfs, 'bin', applet))
  symlinkSync('/proc/self/fd', join(rootfs, 'dev/fd'))
  return {
    directory,
    rootfs,
    async [Symbol.asyncDispose]() {
      await rm(directory, { recursive: true, force: true })
    },
  }
}

export interface ContainerOptions {
  readonly args: readonly string[]
  readonly terminal?: boolean
  readonly stdin?: { readonly open: boolean; readonly once: boolean }
  readonly log?: { readonly maxBytes: number; readonly maxFiles: number } | { readonly lineMax: number } | false
  readonly memory?: number
  /** In the host's pid namespace. */
  readonly hostPids?: boolean
  /** Host directory → path inside. */
  readonly binds?: Readonly<Record<string, string>>
}

export interface ContainerFiles {
  readonly id: string
  /** The shim's directory. */
  readonly directory: string
  readonly logPath: string
  readonly config: object
  readonly keeper: object
}

export function aContainer(root: TestRoot, options: ContainerOptions): ContainerFiles {
  const id = newId()
  const directory = join(root.directory, 'shims', id)
  mkdirSync(directory, { recursive: true, mode: 0o700 })
  const logPath = join(root.directory, `${id}-json.log`)
  const log = logOf(options.log, logPath)
  return {
    id,
    directory,
    logPath,
    config: {
      ociVersion: '1.2.0',
      process: aProcess(options.args, options.terminal),
      root: { path: root.rootfs },
      hostname: 'test',
      mounts: [
        { destination: '/proc', type: 'proc', source: 'proc' },
        { destination: '/dev', type: 'tmpfs', source: 'tmpfs', options: ['nosuid', 'mode=755'] },
        {
          destination: '/dev/pts',
          type: 'devpts',
          source: 'devpts',
          options: ['newinstance', 'ptmxmode=0666', 'mode=0620'],
        },
        ...Object.entries(options.binds ?? {}).map(([source, destination]) => ({
          destination,
          type: 'bind',
          source,
          options: ['rbind'],
        })),
      ],
      linux: {
        cgroupsPath: `/berth/${id}`,
        resources: options.memory === undefined ? {} : { memory: { limit: options.memory, swap: options.memory } },
        namespaces: [...(options.hostPids ? [] : ['pid']), 'mount', 'uts', 'ipc', 'network', 'cgroup'].map((type) => ({
          type,
        })),
      },
    },
    keeper: {
      id,
      directory,
      stdin: options.stdin ?? { open: false, once: false },
      log,
      rootfs: { kind: 'directory', path: root.rootfs },
      network: { kind: 'none' },
    },
  }
}

function logOf(log: ContainerOptions['log'], path: string): object {
  if (log === false) return { driver: 'none' }
  if (log && 'lineMax' in log) return { driver: 'cri', path, ...log }
  return { driver: 'json-file', path, maxBytes: 0, maxFiles: 1, ...log }
}

export function aProcess(args: readonly string[], terminal = false): object {
  return {
    terminal,
    ...(terminal ? { consoleSize: { height: 24, width: 80 } } : {}),
    user: { uid: 0, gid: 0 },
    args,
    env: ['PATH=/bin', 'TERM=xterm'],
    cwd: '/',
    oomScoreAdj: 0,
  }
}

export interface LogRecord {
  readonly log: string
  readonly stream: string
  readonly time: string
}

export async function readLog(path: string): Promise<LogRecord[]> {
  const text = await readFile(path, 'utf8')
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line): LogRecord => JSON.parse(line))
}
