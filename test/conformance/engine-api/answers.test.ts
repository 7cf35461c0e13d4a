import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { busybox, startDaemon, type TestDaemon } from '../../support/daemon.ts'
import { problemsOf } from './schema.ts'

let daemon: TestDaemon
beforeAll(async () => {
  daemon = await startDaemon()
})
afterAll(() => daemon[Symbol.asyncDispose]())

/** Asks, checks the answer against openapi.yaml, and gives its body. */
async function ask(operation: string, status: number, { path, body }: { path?: string; body?: unknown } = {}) {
  const [method = '', template = ''] = operation.split(' ')
  const answer = await daemon.request(method, path ?? template, body)
  expect([answer.status, answer.status === status ? '' : answer.body]).toEqual([status, ''])
  const text = answer.body.trim()
  const parsed =
    text === '' || !text.startsWith('{') ? (text.startsWith('[') ? JSON.parse(text) : undefined) : JSON.parse(text)
  expect(problemsOf(operation, status, parsed)).toEqual([])
  return parsed as Record<string, unknown>
}

const create = async (body: object) =>
  (
    await ask('POST /containers/create', 201, {
      body: { Image: busybox, Cmd: ['sleep', '1000'], HostConfig: { NetworkMode: 'none' }, ...body },
    })
  ).Id as string

describe.each(['', '/v1.24', '/v1.41', '/v1.44', '/v1.51'])('at version "%s"', (version) => {
  test('the engine describes itself', async () => {
    await ask('GET /version', 200, { path: `${version}/version` })
    await ask('GET /info', 200, { path: `${version}/info` })
    await ask('GET /networks', 200, { path: `${version}/networks` })
    await ask('GET /volumes', 200, { path: `${version}/volumes` })
    await ask('GET /plugins', 200, { path: `${version}/plugins` })
  })

  test('images are listed and inspected', async () => {
    await ask('GET /images/json', 200, { path: `${version}/images/json?all=1` })
    await ask('GET /images/{name}/json', 200, { path: `${version}/images/${busybox}/json` })
    await ask('GET /images/{name}/history', 200, { path: `${version}/images/${busybox}/history` })
  })

  test('containers are listed and inspected, created and running', async () => {
    const id = await create({ Labels: { a: 'b' }, ExposedPorts: { '80/tcp': {} }, Env: ['A=b'] })
    const look = async () => {
      await ask('GET /containers/json', 200, { path: `${version}/containers/json?all=1&size=1` })
      await ask('GET /containers/{id}/json', 200, { path: `${version}/containers/${id}/json?size=1` })
    }
    await look()
    await ask('POST /containers/{id}/start', 204, { path: `${version}/containers/${id}/start` })
    await look()
    await ask('GET /containers/{id}/top', 200, { path: `${version}/containers/${id}/top` })
    await ask('GET /containers/{id}/stats', 200, { path: `${version}/containers/${id}/stats?stream=0` })
    await ask('DELETE /containers/{id}', 204, { path: `${version}/containers/${id}?force=1` })
  })
})

test('a container of the default bridge shows its addresses where clients look', async () => {
  const id = await create({ HostConfig: {} })
  await ask('POST /containers/{id}/start', 204, { path: `/containers/${id}/start` })
  const { NetworkSettings } = await ask('GET /containers/{id}/json', 200, { path: `/containers/${id}/json` })
  const { Networks, IPAddress } = NetworkSettings as {
    Networks: Record<string, { IPAddress: string }>
    IPAddress: string
  }
  expect(Networks.bridge?.IPAddress).toMatch(/^\d+\.\d+\.\d+\.\d+$/)
  expect(IPAddress).toBe(Networks.bridge?.IPAddress)
  await ask('GET /networks/{id}', 200, { path: '/networks/bridge' })
})

test('volumes are made, shown, counted, pruned and removed', async () => {
  await ask('POST /volumes/create', 201, { body: { Name: 'seen', Labels: { a: 'b' } } })
  await ask('POST /volumes/create', 201, { body: { Name: 'memory', DriverOpts: { type: 'tmpfs', device: 'tmpfs' } } })
  await ask('POST /volumes/create', 201, {})
  const id = await create({ Volumes: { '/v': {} }, HostConfig: { NetworkMode: 'none', Binds: ['seen:/seen:ro'] } })
  const { Mounts } = await ask('GET /containers/{id}/json', 200, { path: `/containers/${id}/json` })
  expect(Mounts).toHaveLength(2)
  for (const version of ['/v1.24', '/v1.51']) {
    await ask('GET /volumes', 200, { path: `${version}/volumes` })
    await ask('GET /volumes/{name}', 200, { path: `${version}/volumes/seen` })
    await ask('GET /system/df', 200, { path: `${version}/system/df?type=volume` })
  }
  await ask('DELETE /volumes/{name}', 409, { path: '/volumes/seen' })
  const { VolumesDeleted } = await ask('POST /volumes/prune', 200, {})
  expect(VolumesDeleted).toHaveLength(1)
  await ask('DELETE /containers/{id}', 204, { path: `/containers/${id}?v=1` })
  await ask('DELETE /volumes/{name}', 204, { path: '/volumes/seen' })
  await ask('DELETE /volumes/{name}', 204, { path: '/volumes/memory?force=1' })
})

test('a whole life gives the statuses that are described', async () => {
  const id = await create({})
  const act = (operation: string, status: number) =>
    ask(`POST /containers/{id}/${operation.split('?')[0]}`, status, { path: `/containers/${id}/${operation}` })
  await act('start', 204)
  await act('start', 304)
  await act('pause', 204)
  await act('unpause', 204)
  await act('rename?name=renamed', 204)
  await act('kill?signal=CONT', 204)
  await act('restart?t=0', 204)
  const exec = await ask('POST /containers/{id}/exec', 201, { path: `/containers/${id}/exec`, body: { Cmd: ['true'] } })
  await ask('POST /exec/{id}/start', 200, { path: `/exec/${String(exec.Id)}/start`, body: { Detach: true } })
  await ask('GET /exec/{id}/json', 200, { path: `/exec/${String(exec.Id)}/json` })
  await act('stop?t=0', 204)
  await act('stop', 304)
  await act('wait', 200)
  await ask('DELETE /containers/{id}', 204, { path: `/containers/${id}` })
})

test.each([
  ['POST', '/containers/create', '{"Image":"busybox","Tty":"yes"}', 400],
  ['POST', '/containers/create', { Image: 'busybox', HostConfig: { Memory: 1 } }, 400],
  ['POST', '/containers/create', { Image: 'no/such' }, 404],
  ['POST', '/containers/create?name=%21', { Image: 'busybox' }, 400],
  ['GET', '/containers/nobody/json', undefined, 404],
  ['GET', '/containers/json?filters={"nope":["1"]}', undefined, 400],
  ['GET', '/images/json?filters={"nope":["1"]}', undefined, 400],
  ['GET', '/images/no%2Fsuch/json', undefined, 404],
  ['DELETE', '/images/no%2Fsuch', undefined, 404],
  ['POST', '/images/busybox/tag?repo=UPPER', undefined, 400],
  ['GET', '/networks/nowhere', undefined, 404],
  ['GET', '/exec/nothing/json', undefined, 404],
])('%s %s with %j is an error with a message and nothing else', async (method, path, body, status) => {
  const sent = typeof body === 'string' ? (JSON.parse(body) as unknown) : body
  const answer = await daemon.request(method, encodeURI(path).replaceAll('%25', '%'), sent)
  expect(answer.status).toBe(status)
  const parsed = JSON.parse(answer.body) as { message: string }
  expect(Object.keys(parsed)).toEqual(['message'])
  expect(parsed.message).not.toBe('')
})
