import { afterAll, beforeAll, expect, test } from 'vitest'
import { busybox, startDaemon, type TestDaemon } from '#test/support/daemon.ts'
import { Transcript } from '#test/support/transcript.ts'
import { waitFor } from '#test/support/wait-for.ts'

let daemon: TestDaemon
beforeAll(async () => {
  daemon = await startDaemon()
})
afterAll(() => daemon[Symbol.asyncDispose]())

/** The output of a docker command that succeeds. */
async function docker(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await daemon.docker(...args)
  if (code !== 0) throw new Error(`docker ${args.join(' ')}: ${stderr}`)
  return stdout.trim()
}

interface Endpoint {
  readonly IPAddress: string
  readonly Aliases: readonly string[] | null
}

interface Inspected {
  readonly Id: string
  readonly Name: string
  readonly Config: Readonly<Record<string, unknown>>
  readonly HostConfig: Readonly<Record<string, unknown>>
  readonly Mounts: readonly object[]
  readonly State: { readonly Status: string; readonly Health?: { readonly Status: string } }
  readonly NetworkSettings: { readonly Networks: Readonly<Record<string, Endpoint>> }
}

const inspect = async (version: string, name: string): Promise<Inspected> =>
  (await daemon.json('GET', `/${version}/containers/${name}/json`)) as unknown as Inspected

const aliasesOf = ({ Id, NetworkSettings: { Networks } }: Inspected) =>
  Object.fromEntries(
    Object.entries(Networks).map(([name, { Aliases }]) => [name, Aliases?.filter((one) => one !== Id.slice(0, 12))]),
  )

/** As watchtower replaces a container: what inspect showed is what create gets; then each network is connected anew. */
async function recreate(old: Inspected): Promise<string> {
  const at = '/v1.25/containers'
  const networks = Object.entries(old.NetworkSettings.Networks)
  const aliases = aliasesOf(old)
  const endpoint = ([name, settings]: (typeof networks)[number]) => ({ ...settings, Aliases: aliases[name] })
  const [first] = networks
  if (!first) throw new Error('no network')
  await daemon.json('POST', `${at}/${old.Id}/kill?signal=${old.Config.StopSignal}`)
  await waitFor('the old one has ended', async () => (await inspect('v1.25', old.Id)).State.Status === 'exited')
  await daemon.json('DELETE', `${at}/${old.Id}?force=1&v=0`)
  const created = await daemon.json('POST', `${at}/create?name=${old.Name.slice(1)}`, {
    ...old.Config,
    HostConfig: old.HostConfig,
    NetworkingConfig: { EndpointsConfig: { [first[0]]: endpoint(first) } },
  })
  const id = String(created.Id)
  await daemon.json('POST', `/v1.25/networks/${first[0]}/disconnect`, { Container: id, Force: true })
  for (const network of networks) {
    const body = { Container: id, EndpointConfig: endpoint(network) }
    await daemon.json('POST', `/v1.25/networks/${network[0]}/connect`, body)
  }
  await daemon.json('POST', `${at}/${id}/start`)
  return id
}

test('watchtower: a container made anew from its inspect is the same container', async () => {
  await docker('network', 'create', 'front')
  await docker('network', 'create', 'back')
  await docker(
    ...[
      'create',
      '--name',
      'kept',
      '--init',
      '--network',
      'front',
      '--network-alias',
      'shop',
      '--hostname',
      'shop-host',
    ],
    ...['-v', 'data:/data', '--mount', 'type=tmpfs,dst=/scratch,tmpfs-size=1m', '-v', '/srv-of-its-own', '-p', '8000'],
    ...['-e', 'A=1', '-l', 'a=b', '--restart', 'unless-stopped', '-m', '64m', '--cpus', '0.5', '--cap-drop', 'NET_RAW'],
    ...['--health-cmd', 'test -d /data', '--health-interval', '100ms', '--ulimit', 'nofile=500:600', '--read-only'],
    ...['--log-opt', 'max-size=1m', '--add-host', 'far:10.0.0.9', '--shm-size', '8m', '--stop-signal', 'SIGINT'],
    ...[busybox, 'sh', '-c', 'echo $A >>/data/starts; exec sleep 600'],
  )
  await docker('network', 'connect', '--alias', 'warehouse', 'back', 'kept')
  await docker('start', 'kept')
  // A shell that is still starting would lose the signal.
  await waitFor('it runs', async () => (await daemon.docker('exec', 'kept', 'cat', '/data/starts')).stdout === '1\n')
  const before = await inspect('v1.25', 'kept')
  const id = await recreate(before)
  const after = await inspect('v1.25', 'kept')
  expect(after.Id).toBe(id)
  expect(after.Id).not.toBe(before.Id)
  expect(after.Config).toEqual(before.Config)
  expect(after.HostConfig).toEqual(before.HostConfig)
  expect(aliasesOf(after)).toEqual(aliasesOf(before))
  expect(Object.keys(after.NetworkSettings.Networks).toSorted()).toEqual(['back', 'front'])
  expect(after.State.Status).toBe('running')
  await waitFor('it writes', async () => (await docker('exec', 'kept', 'cat', '/data/starts')) === '1\n1')
  for (const [network, alias] of [
    ['front', 'shop'],
    ['back', 'warehouse'],
  ] as const) {
    expect(await docker('run', '--rm', '--network', network, busybox, 'nslookup', '-type=a', alias)).toContain(
      after.NetworkSettings.Networks[network]?.IPAddress,
    )
  }
  await docker('rm', '-fv', 'kept')
  await docker('network', 'rm', 'front', 'back')
})

test('Traefik: lists, inspects and follows events to know where each service answers', async () => {
  const abort = new AbortController()
  const filters = encodeURIComponent(JSON.stringify({ type: { container: true } }))
  const stream = await daemon.open('GET', `/v1.24/events?filters=${filters}`, undefined, { signal: abort.signal })
  const events = new Transcript(stream)
  await docker('network', 'create', 'proxied')
  await docker('network', 'create', 'inner')
  const served = 'echo served >/tmp/index.html; exec httpd -f -p 8000 -h /tmp'
  await docker(
    ...[
      'create',
      '--name',
      'whoami',
      '--init',
      '--network',
      'proxied',
      '-l',
      'traefik.http.routers.who.rule=Host(`who`)',
    ],
    ...['--expose', '8000', '--health-cmd', 'wget -qO- localhost:8000', '--health-interval', '100ms'],
    ...[busybox, 'sh', '-c', served],
  )
  await docker('network', 'connect', 'inner', 'whoami')
  await docker('start', 'whoami')
  await events.until('"health_status: healthy"')
  const listed = (await daemon.json('GET', '/v1.24/containers/json')) as unknown as (Inspected & { Labels: object })[]
  expect(listed).toMatchObject([
    { Labels: { 'traefik.http.routers.who.rule': 'Host(`who`)' }, Names: ['/whoami'], State: 'running' },
  ])
  const found = await inspect('v1.24', listed[0]?.Id ?? '')
  expect(found.State).toMatchObject({ Status: 'running', Health: { Status: 'healthy' } })
  expect(found.Config.ExposedPorts).toEqual({ '8000/tcp': {} })
  expect(Object.keys(found.NetworkSettings.Networks).toSorted()).toEqual(['inner', 'proxied'])
  for (const { IPAddress } of Object.values(found.NetworkSettings.Networks)) {
    const asked = await daemon.run([...daemon.enter, 'busybox', 'wget', '-qO-', `http://${IPAddress}:8000/`])
    expect(asked).toEqual({ code: 0, stdout: 'served\n', stderr: '' })
  }
  await docker('stop', 'whoami')
  await events.until('"status":"stop"')
  abort.abort()
  const told = events.text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line).status.replace(/^exec_.*/, 'exec'))
  expect(told.filter((status: string) => status !== 'exec')).toEqual([
    ...['create', 'start', 'health_status: healthy', 'kill', 'die', 'stop'],
  ])
  expect(await daemon.json('GET', '/v1.24/containers/json')).toEqual([])
  await docker('rm', 'whoami')
  await docker('network', 'rm', 'proxied', 'inner')
})
