/**
 * Execs without end in one container, of every kind, in an order that its seed decides: what the shim has of memory and descriptors stays what it was.
 * `npm run soak -- shim-exec [COUNT [SEED]]` (100,000, seed 1) prints a line a slice and exits 1 with what was not so.
 */
import assert from 'node:assert/strict'
import { readdir, readFile } from 'node:fs/promises'
import { constants } from 'node:os'
import type { Shim } from '#shim/shim.ts'
import { randomFrom } from '#test/support/random.ts'
import { waitFor } from '#test/support/wait-for.ts'
import { makeRoot } from './container.ts'
import { type Keeper, openKeeper } from './keeper.ts'
import { createExec, nextExit, readAll, start } from './story.ts'

export interface SoakOptions {
  readonly count: number
  readonly seed: number
  /** Execs between two looks at the shim. */
  readonly slice: number
  readonly onSlice?: (slice: Slice) => void
}

export interface Slice {
  readonly execs: number
  /** Of the shim at rest; what it shares with others is counted in part. */
  readonly pssBytes: number
  /** Pages that are the shim's alone. */
  readonly ownBytes: number
  readonly descriptors: number
  readonly children: number
  /** Processor time of an exec: the shim's share and the processes that it made. */
  readonly cpuMillis: number
}

/** USER_HZ, in which the kernel tells processor time. */
const ticksPerMilli = 100 / 1000
/** What a shim has at most of its own once its buffers went back, a second after the last exec. */
const restBytes = 150_000

/** @returns the slices, the first of them after some execs that warmed everything up */
export async function soakExecs({ count, seed, slice, onSlice }: SoakOptions): Promise<readonly Slice[]> {
  await using root = await makeRoot()
  await using keeper = await openKeeper()
  const { shim, exit } = await start(keeper, root, { args: ['sleep', '1000000'] })
  const random = randomFrom(seed)
  const slices: Slice[] = []
  for (let done = 0; done < count; ) {
    const before = await cpuTicks(shim.pid)
    const end = Math.min(done + slice, count)
    const begun = done
    for (; done < end; done++) await oneExec(keeper, shim, `exec-${done}`, random)
    const used = (await cpuTicks(shim.pid)) - before
    slices.push({ execs: done, ...(await lookAt(shim.pid)), cpuMillis: used / ticksPerMilli / (end - begun) })
    onSlice?.(slices.at(-1) as Slice)
  }
  await shim.kill('', constants.signals.SIGKILL)
  await exit
  await shim.shutdown()
  assert.deepEqual(keeper.reported, [])
  return slices
}

/** Most are of the shortest kind; the others fail, talk, have a terminal, are left or leave others behind. */
async function oneExec(keeper: Keeper, shim: Shim, id: string, random: () => number): Promise<void> {
  const done = nextExit(shim, id)
  switch (Math.floor(random() * 16)) {
    case 0: {
      const code = Math.floor(random() * 256)
      await createExec(keeper, shim, id, ['sh', '-c', `( ( true ) & ); exit ${code}`])
      await shim.start(id)
      assert.equal((await done).code, code)
      return
    }
    case 1: {
      const text = 'x'.repeat(Math.floor(random() * 200_000))
      await createExec(keeper, shim, id, ['cat'])
      const stream = await shim.attach(id, { stdin: true, stdout: true, stderr: true, framed: false })
      await shim.start(id)
      stream.end(text)
      assert.equal((await readAll(stream)).toString(), text)
      assert.equal((await done).code, 0)
      return
    }
    case 2: {
      await createExec(keeper, shim, id, ['echo', 'here'], true)
      const stream = await shim.attach(id, { stdin: false, stdout: true, stderr: true, framed: false })
      await shim.start(id)
      assert.equal((await readAll(stream)).toString(), 'here\r\n')
      assert.equal((await done).code, 0)
      return
    }
    case 3:
      await assert.rejects(createExec(keeper, shim, id, ['nothing-of-that-name']), /executable file not found/)
      return
    case 4: {
      await createExec(keeper, shim, id, ['sleep', '1000'])
      if (random() < 0.5) await shim.start(id)
      const stream = await shim.attach(id, { stdin: true, stdout: true, stderr: true, framed: true })
      stream.destroy()
      await shim.kill(id, constants.signals.SIGKILL)
      assert.equal((await done).signal, constants.signals.SIGKILL)
      return
    }
    default:
      await createExec(keeper, shim, id, ['true'])
      await shim.start(id)
      assert.equal((await done).code, 0)
  }
}

async function lookAt(pid: number): Promise<Omit<Slice, 'execs' | 'cpuMillis'>> {
  const memory = await waitFor('the buffers of the shim to go back', async () => {
    const seen = await memoryOf(pid)
    return seen.ownBytes <= restBytes && seen
  })
  const { length: descriptors } = await readdir(`/proc/${pid}/fd`)
  const children = (await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8')).trim().split(' ').length
  return { ...memory, descriptors, children }
}

async function memoryOf(pid: number): Promise<{ pssBytes: number; ownBytes: number }> {
  const text = await readFile(`/proc/${pid}/smaps_rollup`, 'utf8')
  const bytes = (key: string) => Number(new RegExp(`^${key}:\\s+(\\d+) kB$`, 'm').exec(text)?.[1]) * 1024
  return { pssBytes: bytes('Pss'), ownBytes: bytes('Private_Clean') + bytes('Private_Dirty') }
}

/** Of the process and of those it has reaped. */
async function cpuTicks(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8')
  const fields = stat
    .slice(stat.lastIndexOf(')') + 2)
    .split(' ')
    .map(Number)
  return fields.slice(11, 15).reduce((sum, ticks) => sum + ticks, 0)
}

/** @throws when the shim has more at the end than after the first slice */
export function checkFlat(slices: readonly Slice[]): void {
  const [first] = slices
  const last = slices.at(-1)
  assert(first && last)
  assert(
    last.ownBytes <= first.ownBytes + 8192,
    `${last.ownBytes} bytes at the end, ${first.ownBytes} after the first slice`,
  )
  assert.equal(last.descriptors, first.descriptors)
  assert.equal(last.children, 1)
}

if (import.meta.main) {
  const [count = 100_000, seed = 1] = process.argv.slice(2).map(Number)
  const onSlice = ({ execs, pssBytes, ownBytes, descriptors, cpuMillis }: Slice) =>
    console.log(
      `${execs} execs: PSS ${pssBytes / 1024} kB, own ${ownBytes / 1024} kB, ${descriptors} descriptors, ${cpuMillis.toFixed(2)} ms CPU an exec`,
    )
  console.log(`shim-exec: ${count} execs, seed ${seed}`)
  checkFlat(await soakExecs({ count, seed, slice: Math.ceil(count / 50), onSlice }))
}
