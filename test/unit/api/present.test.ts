import { describe, expect, test } from 'vitest'
import { parseContainerConfig } from '#api/parse/container-config.ts'
import { parseHostConfig } from '#api/parse/host-config.ts'
import { presentContainer, presentContainerSummary } from '#api/present/container.ts'
import { presentEvent } from '#api/present/event.ts'
import { presentImage, presentImageSummary } from '#api/present/image.ts'
import { presentStatus } from '#api/present/status.ts'
import { digestOf } from '#base/digest.ts'
import type { Container, ContainerState } from '#containers/container.ts'
import { toPlainMount } from '#containers/mounts/plain-mount.ts'
import { decodeContainerCreateRequest } from '#contract/validate.gen.ts'
import { versionOf } from '#contract/versions.ts'
import type { ContainerView } from '#engine/engine.ts'
import type { Image } from '#images/store/image.ts'
import { mediaTypes } from '#oci/media-types.ts'

const now = 1_700_000_100_000_000_000n
const newest = versionOf(1, 51)

const created: ContainerState = {
  status: 'created',
  pid: 0,
  exitCode: 0,
  error: '',
  oomKilled: false,
  startedAt: undefined,
  finishedAt: undefined,
  stoppedByUser: false,
  health: undefined,
}

const ago = (seconds: number) => now - BigInt(seconds * 1e9)
const states: Readonly<Record<string, Partial<ContainerState>>> = {
  Created: {},
  'Up 3 seconds': { status: 'running', startedAt: ago(3) },
  'Up About a minute (Paused)': { status: 'paused', startedAt: ago(60) },
  'Exited (1) 2 minutes ago': { status: 'exited', exitCode: 1, finishedAt: ago(120) },
  'Restarting (2) Less than a second ago': { status: 'restarting', exitCode: 2, finishedAt: ago(0.1) },
  'Removal In Progress': { status: 'removing' },
  Dead: { status: 'dead' },
}

test.each(Object.keys(states))('the list says "%s"', (text) => {
  expect(presentStatus({ ...created, ...states[text] }, now)).toBe(text)
})

const host = parseHostConfig({ Binds: ['/tmp:/x:Z,ro'], Tmpfs: { '/t': 'size=1m' } })
const container: Container = {
  id: 'c'.repeat(64),
  name: 'web',
  createdAt: 1_700_000_000_000_000_000n,
  imageId: digestOf('image'),
  imageRoot: digestOf('root'),
  platform: 'linux/amd64',
  config: parseContainerConfig({ Image: 'bb', Tty: true }),
  host,
  mounts: host.mounts.map(toPlainMount),
  state: created,
  restartCount: 0,
  selinux: undefined,
  onUnhealthy: undefined,
  path: 'sh',
  args: ['-c', 'echo hi'],
  logPath: '/l',
}

const view: ContainerView = {
  container,
  sandbox: { id: '', key: '' },
  endpoints: [
    {
      containerId: 'c1',
      network: 'bridge',
      networkId: 'n1',
      endpointId: 'e1',
      gateway: '172.17.0.1',
      ipAddress: '172.17.0.2',
      ipPrefixLength: 16,
      macAddress: '02:42:ac:11:00:02',
      aliases: [],
      links: [],
      driverOptions: undefined,
      gatewayPriority: 0,
      ipamConfig: undefined,
      hasNames: false,
      dnsNames: undefined,
    },
  ],
  ports: { published: [], others: [] },
  execIds: [],
  appArmorProfile: '',
  paths: { hostname: '/h', hosts: '/hs', resolvConf: '/r', log: '/l' },
  graph: { name: 'overlay2', data: { UpperDir: '/u' } },
  effective: {
    env: ['PATH=/bin'],
    cmd: ['sh'],
    entrypoint: null,
    workingDir: '',
    user: '',
    labels: { a: 'b' },
    exposedPorts: [],
    volumes: [],
    stopSignal: undefined,
  },
  sizes: undefined,
}

describe('inspect', () => {
  const shown = presentContainer(view, { manifest: undefined, nameIsCurrent: true }, newest)

  test('has a slash before the name, zero times where nothing happened and the id of the image', () => {
    expect(shown).toMatchObject({ Name: '/web', Image: container.imageId, Platform: 'linux', ExecIDs: null })
    expect(shown.State).toMatchObject({
      Status: 'created',
      Running: false,
      StartedAt: '0001-01-01T00:00:00Z',
      FinishedAt: '0001-01-01T00:00:00Z',
    })
  })

  test('never leaves maps of networks and ports null', () => {
    expect(shown.NetworkSettings).toMatchObject({ Ports: {}, IPAddress: '172.17.0.2', Gateway: '172.17.0.1' })
    expect(shown.NetworkSettings.Networks.bridge).toMatchObject({ NetworkID: '', MacAddress: '02:42:ac:11:00:02' })
  })

  test('shows binds as mounts, and tmpfs only in the host config', () => {
    expect(shown.Mounts).toEqual([
      { Type: 'bind', Source: '/tmp', Destination: '/x', Mode: 'Z,ro', RW: false, Propagation: 'rprivate' },
    ])
    expect(shown.HostConfig).toMatchObject({ Binds: ['/tmp:/x:Z,ro'], Tmpfs: { '/t': 'size=1m' } })
  })

  test('a host config that is sent back makes the same settings again', () => {
    const { HostConfig = {} } = decodeContainerCreateRequest({ HostConfig: shown.HostConfig })
    expect(parseHostConfig(HostConfig)).toEqual(container.host)
  })
})

describe('list', () => {
  const facts = { manifest: undefined, nameIsCurrent: true }
  const at = { version: newest, now }

  test('quotes arguments with spaces and counts in seconds', () => {
    expect(presentContainerSummary(view, facts, at)).toMatchObject({
      Names: ['/web'],
      Image: 'bb',
      Command: "sh -c 'echo hi'",
      Created: 1_700_000_000,
      State: 'created',
      Ports: [],
      Labels: { a: 'b' },
      HostConfig: { NetworkMode: 'bridge' },
    })
  })

  test('shows the id of an image whose name has moved on', () => {
    expect(presentContainerSummary(view, { ...facts, nameIsCurrent: false }, at).Image).toBe(container.imageId)
  })
})

describe('events', () => {
  const time = 1_795_408_134_587_463_564n

  test('have the old fields beside the new ones, and every digit of their time', () => {
    const text = presentEvent({
      type: 'container',
      action: 'start',
      actor: { id: 'c1', attributes: { image: 'bb', name: 'web' } },
      time,
    })
    expect(text).toContain('"timeNano":1795408134587463564}\n')
    expect(JSON.parse(text)).toMatchObject({
      status: 'start',
      id: 'c1',
      from: 'bb',
      Type: 'container',
      Action: 'start',
      Actor: { ID: 'c1', Attributes: { image: 'bb', name: 'web' } },
      scope: 'local',
      time: 1_795_408_134,
    })
  })

  test('of networks have only the new fields', () => {
    const text = presentEvent({ type: 'network', action: 'connect', actor: { id: 'n1', attributes: {} }, time })
    expect(Object.keys(JSON.parse(text) as object)).toEqual(['Type', 'Action', 'Actor', 'scope', 'time', 'timeNano'])
  })
})

describe('images', () => {
  const image: Image = {
    id: digestOf('config'),
    root: { mediaType: mediaTypes.ociIndex, digest: digestOf('root'), size: 5 },
    manifest: { mediaType: mediaTypes.ociManifest, digest: digestOf('manifest'), size: 6 },
    config: {
      architecture: 'amd64',
      os: 'linux',
      created: '2026-01-01T00:00:00Z',
      config: { Cmd: ['sh'] },
      diffIds: [digestOf('layer')],
      history: [],
    },
    parent: undefined,
    layers: [],
    chainId: undefined,
    tags: ['docker.io/library/busybox:latest', '127.0.0.1:5000/busybox:latest'],
    digests: [`docker.io/library/busybox@${digestOf('root')}`],
    sizeBytes: 42,
    lastTaggedAt: undefined,
  }
  const among = { image, sharedBytes: 7, users: 2 }

  test('are named as people know them', () => {
    const summary = presentImageSummary(among, { version: newest, withSharedSize: false })
    expect(summary).toMatchObject({
      RepoTags: ['busybox:latest', '127.0.0.1:5000/busybox:latest'],
      RepoDigests: [`busybox@${digestOf('root')}`],
      Created: 1_767_225_600,
      Labels: null,
    })
    expect(summary.VirtualSize).toBeUndefined()
  })

  test('tell what they share only when asked, and their containers since 1.51', () => {
    const sizes = (minor: number, withSharedSize: boolean) => {
      const { SharedSize, Containers } = presentImageSummary(among, { version: versionOf(1, minor), withSharedSize })
      return [SharedSize, Containers]
    }
    expect(sizes(51, true)).toEqual([7, 2])
    expect(sizes(50, true)).toEqual([7, -1])
    expect(sizes(51, false)).toEqual([-1, 2])
  })

  const graph = { driver: 'overlay2', directories: undefined } as const

  test('have for older clients the fields that those read', () => {
    expect(presentImageSummary(among, { version: versionOf(1, 43), withSharedSize: false }).VirtualSize).toBe(42)
    expect(presentImage(image, { version: versionOf(1, 43), graph })).toMatchObject({
      VirtualSize: 42,
      Config: { Hostname: '', Cmd: ['sh'] },
    })
    expect(presentImage(image, { version: newest, graph }).Config).not.toHaveProperty('Hostname')
  })
})
