import { randomUUID } from 'node:crypto'
import { closeSync, openSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { systemCode } from '#base/errors.ts'
import { silentLogger } from '#base/log.ts'
import type { HostSettings } from '#containers/container.ts'
import { AppArmor } from '#containers/spec/apparmor.ts'
import { notify } from '#daemon/systemd.ts'
import type { ContentStore } from '#images/content/content-store.ts'
import type { Lease } from '#images/content/leases.ts'
import { assembleRoot } from '#images/layers/assembled-root.ts'
import { compressLayer } from '#images/layers/compress.ts'
import { copyOutOf, lookIn } from '#images/layers/copy-process.ts'
import { startPack } from '#images/layers/pack-process.ts'
import { runCopyIn } from '#images/layers/unpack-process.ts'
import { copyFormat } from '#images/snapshots/copy.ts'
import type { SnapshotDirectories } from '#images/snapshots/tree-format.ts'
import { runTreeJobOn } from '#images/snapshots/tree-process.ts'
import { askPort } from '#runtime/probe.ts'
import { tempDirectory } from '#test/support/temp.ts'

/** Starts the child of one file with ever more descriptors to spare, and prints what came of each attempt. */
const [name = ''] = process.argv.slice(2)
const mostSpare = 24
const program = '/bin/true'
const file = await open('/dev/null', 'r')
await using temporary = await tempDirectory()
const directory = await open(temporary.path, 'r')

const host = { securityOpt: [], privileged: false } as unknown as HostSettings
const mounts = { kind: 'directory', path: '/', lower: [], upper: undefined, work: undefined, readOnly: true } as const
const content = {
  openIngest: async () => ({ write: async () => undefined, [Symbol.asyncDispose]: async () => undefined }),
} as unknown as ContentStore
const never = new AbortController().signal

/** Of a snapshot, anew each time. */
function directories(): SnapshotDirectories {
  const files = join(temporary.path, randomUUID())
  return { own: files, files, work: files, merged: files }
}

const scenes: Readonly<Record<string, () => Promise<unknown>>> = {
  'images/layers/assembled-root.ts': () => assembleRoot(program, { mounts, label: '', binds: [] }),
  'images/layers/compress.ts': () =>
    compressLayer({ executable: program, content }, { file, compression: 'gzip', lease: {} as Lease }, never),
  async 'images/layers/copy-process.ts'() {
    const root = directory.fd
    await lookIn(program, { root, users: undefined }, '/').catch(() => undefined)
    await copyOutOf(program, { fds: { root, users: undefined }, path: '/', name: 'x' })
  },
  async 'images/layers/pack-process.ts'() {
    const running = await startPack(program, { job: '--changes', trees: { areOverlay: true, directories: [] } })
    await running.answer
  },
  'images/layers/unpack-process.ts': () =>
    runCopyIn(program, {
      archive: Readable.from(['x']),
      fds: { root: directory.fd, users: undefined },
      path: '/',
      keepKinds: false,
      owner: undefined,
    }),
  'images/snapshots/copy.ts': () => copyFormat.createActive(directories(), [directories()]),
  'images/snapshots/tree-process.ts': () => runTreeJobOn(program, ['--usage'], { target: directory.fd }),
  'runtime/probe.ts': () =>
    askPort(program, { netns: file.fd, host: '', port: 1, request: undefined, timeoutMs: 1000 }, never),
  'src/containers/spec/apparmor.ts': () => new AppArmor(program).of(host),
  'src/daemon/systemd.ts': () => notify('READY=1', silentLogger),
}

const scene = scenes[name]
if (!scene) throw new Error(`nobody starts the child of ${name}`)
for (let spare = 0; spare <= mostSpare; spare += 1) {
  const taken = takeAll()
  for (const descriptor of taken.splice(0, spare)) closeSync(descriptor)
  const failure: unknown = await scene().catch((error: unknown) => error)
  for (const descriptor of taken) closeSync(descriptor)
  process.stdout.write(`${failure instanceof Error ? failure.message : 'done'}\n`)
}

function takeAll(): number[] {
  const taken: number[] = []
  try {
    for (;;) taken.push(openSync('/dev/null', 'r'))
  } catch (error) {
    if (systemCode(error) !== 'EMFILE') throw error
  }
  return taken
}
