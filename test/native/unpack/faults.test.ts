/** Each system call of berth-unpack is made to fail: it says so, or its work is what it would have been. */
import { execFile } from 'node:child_process'
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { gzipSync } from 'node:zlib'
import { expect, test } from 'vitest'
import { errnosInside } from '#test/soak/store-faults/calls.ts'
import { tar } from '#test/support/tar.ts'
import { tempDirectory } from '#test/support/temp.ts'
import { buildUnpackTool } from '#test/support/unpack-tool.ts'
import { type Call, type Fault, traceCommand } from '../faults/injector.ts'

const run = promisify(execFile)

const lower = tar([
  { name: 'hidden/', mode: 0o755 },
  { name: 'hidden/secret', content: 'secret' },
  { name: 'gone', content: 'gone' },
  { name: 'shared/', mode: 0o1777, uid: 9 },
  { name: 'changed', content: 'before' },
])
const upper = gzipSync(
  tar([
    { name: 'hidden/', mode: 0o700, uid: 7 },
    { name: 'hidden/.wh..wh..opq' },
    { name: 'hidden/shown', content: 'shown', mode: 0o4755, pax: { 'SCHILY.xattr.user.note': 'kept' } },
    { name: '.wh.gone' },
    { name: 'shared/new', content: 'in a directory that only the layer below describes' },
    { name: 'changed', content: 'after' },
    { name: 'link', type: '2', link: 'changed' },
    { name: 'name', type: '1', link: 'changed' },
    { name: 'fifo', type: '6', mode: 0o600 },
  ]),
)

interface Job {
  readonly name: string
  /** Of a shell, with `$tool`, in the directory that has `lower/`, `upper/` and `layer`; what it makes goes to `made` or `tree/`. */
  readonly command: string
  /** With the calls that confine it, which all jobs make in the same way. */
  readonly fromBeginning?: boolean
}

const jobs: readonly Job[] = [
  {
    name: 'unpacking a layer',
    command: 'exec $tool --overlay --lowers 1 <layer 3<tree 4<lower >made',
    fromBeginning: true,
  },
  {
    name: 'unpacking and recording a layer',
    command: 'exec $tool --overlay --recorded --lowers 1 <layer 3<tree 4<lower 5>made',
  },
  { name: 'unpacking a plain tree', command: 'exec $tool --plain <layer 3<tree >made' },
  { name: 'packing a layer', command: 'exec $tool --pack --lowers 1 3<upper 4<lower 5>made' },
  { name: 'exporting a tree', command: 'exec $tool --export --lowers 1 3<upper 4<lower 5>made' },
  { name: 'listing changes', command: 'exec $tool --changes --lowers 1 3<upper 4<lower >made' },
  { name: 'recording a layer', command: 'exec $tool --record 3<upper >made' },
]

test.each(jobs)(
  '$name ends well or says why not, whichever call fails',
  { timeout: 300_000 },
  async ({ command, fromBeginning = false }) => {
    await using stage = await openStage()
    const clean = await stage.play(command)
    expect(clean).toMatchObject({ code: 0, stderr: '' })
    const own = ownCalls(clean.calls)
    const faults = (fromBeginning ? own : confinedCalls(own)).flatMap((call) =>
      errnosInside(call).map((errno): Fault => ({ ...call, errno })),
    )
    expect(faults.length).toBeGreaterThan(10)
    const wrong: string[] = []
    for (const fault of faults) {
      const { code, stderr, made, left } = await stage.play(command, fault)
      const isTold = code !== 0 && stderr.length > 10
      const isDone = code === 0 && made === clean.made
      if (!(isTold || isDone) || left.length > 0)
        wrong.push(`${fault.process} ${fault.name} ${fault.k} ${fault.what}: ${code} ${stderr} ${left}`)
    }
    expect(wrong).toEqual([])
  },
)

/** Without those of the shell. */
function ownCalls(calls: readonly Call[]): Call[] {
  const last = calls.findLastIndex(({ process, name }) => process === '0' && name === 'execve')
  return calls.slice(last + 1)
}

/** What each process does behind its filter. */
function confinedCalls(calls: readonly Call[]): Call[] {
  return calls.filter((call, index) => {
    const filter = calls.findIndex(({ process, name }) => process === call.process && name === 'seccomp')
    return filter >= 0 && index > filter
  })
}

async function openStage() {
  await using undo = new AsyncDisposableStack()
  const directory = undo.use(await tempDirectory('berth-unpack-faults-'))
  const tool = await buildUnpackTool()
  const path = (name: string) => join(directory.path, name)
  const shell = ['/bin/sh', '-c']
  const inDirectory = (command: string) => `cd ${directory.path} && tool=${tool} && ${command}`
  await writeFile(path('layer'), lower)
  for (const name of ['lower', 'upper']) await mkdir(path(name))
  await run('/bin/sh', ['-c', inDirectory('$tool --overlay <layer 3<lower')])
  await writeFile(path('layer'), upper)
  await run('/bin/sh', ['-c', inDirectory('$tool --overlay --lowers 1 <layer 3<upper 4<lower')])
  const owned = undo.move()
  return {
    async play(command: string, fault?: Fault) {
      for (const name of ['made', 'tree']) await rm(path(name), { recursive: true, force: true })
      await mkdir(path('tree'))
      const words = [...shell, inDirectory(command)]
      const { trace, code, stderr } = await traceCommand(words, path('report'), { fault })
      const isTree = command.includes('3<tree')
      const record = inDirectory('$tool --record 3<tree')
      const tree = isTree ? (await run('/bin/sh', ['-c', record])).stdout : ''
      const made = (await readFile(path('made'), 'latin1').catch(() => '')) + tree
      return { calls: trace.calls, code, stderr, made, left: trace.left }
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}
