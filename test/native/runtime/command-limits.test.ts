/** berth-runtime's verbs that work on the container's group: pause, resume, update, ps, events. */
import { once } from 'node:events'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { freezeInside } from '#test/support/freeze-inside.ts'
import { Command, groupsOf, patience } from './command.ts'

let command: Command

beforeAll(async () => {
  command = await Command.make()
})

afterAll(async () => {
  await command[Symbol.asyncDispose]()
})

const waiting = 'while :; do sleep 0.05; done'

/** A limit as the kernel has it, under its name in v1 or v2. */
async function limitOf(id: string, ...names: readonly string[]): Promise<string | undefined> {
  for (const group of await groupsOf(id))
    for (const name of names) {
      const text = await readFile(join(group, name), 'utf8').catch(() => undefined)
      if (text !== undefined) return text.trim()
    }
  return undefined
}

test('a paused container does nothing, says so, takes no exec, and goes on', async () => {
  const { id } = await command.started(waiting)
  const spent = async (): Promise<string> =>
    (await readFile(`/proc/${(await command.state(id)).pid}/stat`, 'utf8')).split(' ').slice(13, 15).join()
  expect(await command.run('pause', id)).toEqual({ code: 0, stdout: '', stderr: '' })
  expect(await command.status(id)).toBe('paused')
  const before = await spent()
  expect(await command.run('pause', id)).toMatchObject({
    code: 1,
    stderr: `berth-runtime: container not running: '${id}' is paused\n`,
  })
  expect(await command.run('exec', id, 'true')).toMatchObject({
    code: 255,
    stderr: `berth-runtime: cannot exec in a paused container (use --ignore-paused to override): '${id}'\n`,
  })
  expect(await command.run('delete', id)).toMatchObject({ code: 1 })
  expect(await spent()).toBe(before)
  expect(await command.run('resume', id)).toEqual({ code: 0, stdout: '', stderr: '' })
  expect(await command.status(id)).toBe('running')
  expect(await command.run('resume', id)).toMatchObject({
    code: 1,
    stderr: `berth-runtime: container not paused: '${id}' is running\n`,
  })
  expect((await command.run('exec', id, 'echo', 'on')).stdout).toBe('on\n')
})

test('a paused container is deleted by force', async () => {
  const { id } = await command.started(waiting)
  await command.run('pause', id)
  expect(await command.run('delete', '--force', id)).toEqual({ code: 0, stdout: '', stderr: '' })
  expect(await groupsOf(id)).toEqual([])
})

test('a container that froze itself in a group of its own is killed and deleted', async () => {
  const [killed, deleted] = [await command.started(waiting), await command.started(waiting)]
  for (const { id } of [killed, deleted]) await freezeInside(`/berth-runtime.${id}`, (await command.state(id)).pid)
  expect(await command.run('kill', killed.id, 'KILL')).toEqual({ code: 0, stdout: '', stderr: '' })
  await expect.poll(() => command.status(killed.id), patience).toBe('stopped')
  expect(await command.run('delete', killed.id)).toEqual({ code: 0, stdout: '', stderr: '' })
  expect(await command.run('delete', '--force', deleted.id)).toEqual({ code: 0, stdout: '', stderr: '' })
  expect([...(await groupsOf(killed.id)), ...(await groupsOf(deleted.id))]).toEqual([])
})

test('update changes the limits that are named, and the kept config.json with them', async () => {
  const { id } = await command.started(waiting, (config) => {
    config.linux.resources = { pids: { limit: 50 }, memory: { limit: 67108864 } }
  })
  const answer = await command.run('update', '--memory', '96m', '--cpu-share=512', '--pids-limit', '20', id)
  expect(answer).toEqual({ code: 0, stdout: '', stderr: '' })
  expect(await limitOf(id, 'memory.limit_in_bytes', 'memory.max')).toBe(String(96 << 20))
  expect(await limitOf(id, 'pids.max')).toBe('20')
  const kept = JSON.parse(await readFile(join(command.states, id, 'config.json'), 'utf8'))
  expect(kept.linux.resources).toEqual({ pids: { limit: 20 }, memory: { limit: 96 << 20 }, cpu: { shares: 512 } })
  expect(kept.process.args).toEqual(['sh', '-c', waiting])
})

test('update takes resources from a file or from standard input', async () => {
  const { id, path } = await command.started(waiting)
  const file = join(path, 'resources.json')
  await writeFile(file, JSON.stringify({ pids: { limit: 31 } }))
  expect(await command.run('update', '--resources', file, id)).toMatchObject({ code: 0, stderr: '' })
  expect(await limitOf(id, 'pids.max')).toBe('31')
  const input = JSON.stringify({ pids: { limit: 32 } })
  expect(await command.runWith({ input }, 'update', '-r', '-', id)).toMatchObject({ code: 0, stderr: '' })
  expect(await limitOf(id, 'pids.max')).toBe('32')
})

test('a wrong update is refused with its place and changes nothing', async () => {
  const { id } = await command.started(waiting, (config) => {
    config.linux.resources = { pids: { limit: 50 } }
  })
  const input = JSON.stringify({ pids: { limit: 'many' } })
  expect(await command.runWith({ input }, 'update', '-r', '-', id)).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/^berth-runtime: .*pids\.limit: expected an integer\n$/),
  })
  expect(await limitOf(id, 'pids.max')).toBe('50')
})

test('ps lists the processes of the container alone, by the host’s numbers', async () => {
  const { id } = await command.started(`sleep 1000 & ${waiting}`)
  const { pid } = await command.state(id)
  await expect
    .poll(async () => (await command.run('ps', id, '-eo', 'pid,args')).stdout, patience)
    .toContain('sleep 1000')
  const pids: number[] = JSON.parse((await command.run('ps', '--format', 'json', id)).stdout)
  expect(pids).toContain(pid)
  const [title = '', ...rows] = (await command.run('ps', id)).stdout.trimEnd().split('\n')
  expect(title).toMatch(/^UID +PID +PPID/)
  expect(rows.map((row) => Number(row.split(/\s+/)[1]))).toContain(pid)
  expect(rows.length).toBeLessThanOrEqual(4)
  expect(await command.run('ps', id, '-eo', 'args')).toMatchObject({
    code: 1,
    stderr: 'berth-runtime: ps: the options of ps leave out the column PID\n',
  })
})

test('events --stats prints the counters in runc’s shape', async () => {
  const { id } = await command.started(waiting, (config) => {
    config.linux.resources = { pids: { limit: 50 }, memory: { limit: 67108864 } }
  })
  const { stdout } = await command.run('events', '--stats', id)
  const { type, id: of, data } = JSON.parse(stdout)
  expect({ type, of }).toEqual({ type: 'stats', of: id })
  expect(data.pids).toMatchObject({ current: expect.any(Number), limit: 50 })
  expect(data.memory.usage).toMatchObject({ limit: 64 << 20, usage: expect.any(Number) })
  expect(data.memory.usage.usage).toBeGreaterThan(0)
  expect(data.cpu.usage.total).toBeGreaterThan(0)
  expect(Object.keys(data.memory.raw).length).toBeGreaterThan(5)
})

test('events go on until the container ends', async () => {
  const { id } = await command.started(waiting)
  const child = command.spawn(['ignore', 'pipe', 'inherit'], 'events', '--interval', '20ms', id)
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve))
  const lines = createInterface({ input: child.stdout ?? process.stdin })
  const [line] = await once(lines, 'line')
  expect(JSON.parse(line)).toMatchObject({ type: 'stats', id })
  await command.run('kill', id, 'KILL')
  expect(await ended).toBe(0)
})

test.each(['pause', 'resume', 'update', 'events'])('%s of a container that has ended is refused', async (verb) => {
  const { id } = await command.created('true')
  await command.run('kill', id, 'KILL')
  await expect.poll(() => command.status(id), patience).toBe('stopped')
  expect(await command.run(verb, id)).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/^berth-runtime: container not (running|paused): '/),
  })
  expect((await command.run('ps', '--format=json', id)).stdout).toBe('[]\n')
})
