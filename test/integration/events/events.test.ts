import { beforeAll, expect, test } from 'vitest'
import { busybox, startDaemon, type TestDaemon } from '../../support/daemon.ts'
import { Transcript } from '../../support/transcript.ts'

let daemon: TestDaemon
beforeAll(async () => {
  daemon = await startDaemon()
  return () => daemon[Symbol.asyncDispose]()
})

interface WireEvent {
  readonly Type: string
  readonly Action: string
  readonly status?: string
  readonly Actor: { readonly ID: string; readonly Attributes: Readonly<Record<string, string>> }
}

const parse = (text: string) =>
  text
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as WireEvent)
const only = (filters: object) => `filters=${encodeURIComponent(JSON.stringify(filters))}`

test('a whole life is told in its order, to those who were there before it began', async () => {
  const abort = new AbortController()
  const filters = only({ type: ['container'], label: ['life=whole'] })
  const said = new Transcript(await daemon.open('GET', `/events?${filters}`, undefined, { signal: abort.signal }))
  const options = ['--rm', '--name', 'lived', '--label', 'life=whole', '--network', 'none']
  expect((await daemon.docker('run', ...options, busybox, 'sh', '-c', 'exit 3')).code).toBe(3)
  await said.until('destroy')
  abort.abort()
  const events = parse(said.text)
  expect(events.map(({ Action }) => Action)).toEqual(['create', 'attach', 'start', 'die', 'destroy'])
  expect(events.map(({ status }) => status)).toEqual(events.map(({ Action }) => Action))
  const die = events.find(({ Action }) => Action === 'die')
  expect(die?.Actor.Attributes).toMatchObject({ name: 'lived', image: busybox, exitCode: '3', life: 'whole' })
})

test('the past can be asked for, also after a restart of the daemon', async () => {
  await daemon.docker('run', '--rm', '--label', 'life=past', '--network', 'none', busybox, 'true')
  await daemon.restart()
  const { body } = await daemon.request(
    'GET',
    `/events?since=1&until=${Date.now() / 1000 + 0.01}&${only({ label: ['life=past'] })}`,
  )
  expect(parse(body).map(({ Action }) => Action)).toEqual(['create', 'attach', 'start', 'die', 'destroy'])
})

test('a restart tells its stop too, of a container that runs', async () => {
  const id = await daemon.runDetached('--network', 'none', '--init', busybox, 'sleep', '1000')
  await daemon.docker('restart', id)
  await daemon.docker('kill', id)
  await daemon.docker('restart', id)
  await daemon.docker('rm', '-f', id)
  const { body } = await daemon.request(
    'GET',
    `/events?since=1&until=${Date.now() / 1000 + 0.01}&${only({ container: [id] })}`,
  )
  const told = parse(body).map(({ Action }) => Action)
  expect(told.slice(0, told.indexOf('restart') + 1)).toEqual([
    ...['create', 'start', 'kill', 'die', 'stop', 'start', 'restart'],
  ])
  expect(told.filter((action) => action === 'stop')).toHaveLength(1)
})

test('stopping, killing and execs have their own events', async () => {
  const id = await daemon.runDetached('--network', 'none', busybox, 'sleep', '1000')
  await daemon.docker('exec', id, 'true')
  await daemon.docker('pause', id)
  await daemon.docker('unpause', id)
  await daemon.docker('rename', id, 'renamed')
  await daemon.docker('stop', '-t', '0', id)
  await daemon.docker('rm', id)
  const { body } = await daemon.request(
    'GET',
    `/events?since=1&until=${Date.now() / 1000 + 0.01}&${only({ container: [id] })}`,
  )
  expect(parse(body).map(({ Action }) => Action)).toEqual([
    ...['create', 'start', 'exec_create: true ', 'exec_start: true ', 'exec_die', 'pause', 'unpause', 'rename'],
    ...['kill', 'kill', 'die', 'stop', 'destroy'],
  ])
})
