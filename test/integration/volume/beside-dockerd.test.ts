/** Volumes and mounts of containers, with dockerd asked the same. */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type BesideDockerd, lines, startBesideDockerd } from '../container/beside-dockerd.ts'
import { volumeImageTar } from './volume-image.ts'

const stack = new AsyncDisposableStack()
let scene: BesideDockerd
let image: string

beforeAll(async () => {
  scene = stack.use(await startBesideDockerd())
  const archive = join(scene.directory, 'volume-image.tar')
  await writeFile(archive, volumeImageTar())
  await scene.onBoth('import', '--change', 'VOLUME /data', '--change', 'CMD ["sh"]', archive, 'with-volume')
  await scene.onBoth('import', '--change', 'CMD ["sh"]', archive, 'plain')
  image = 'plain'
})
afterAll(() => stack.disposeAsync())

const rooted = (text: string): string =>
  text
    .replaceAll(/"[^"]*\/data\/volumes\//g, '"ROOT/volumes/')
    .replaceAll(/'[^']*\/data\/volumes\//g, "'ROOT/volumes/")
    .replaceAll(/\/\S*\/data\/volumes\//g, 'ROOT/volumes/')
    .replaceAll(/\b[0-9a-f]{64}\b/g, 'ID')
    .replaceAll(/\d{4}-\d\d-\d\dT[\d:]+(Z|[+-]\d\d:\d\d)/g, 'TIME')

/** Both say the same, but for ids, times and where the data root is. */
async function same(...args: readonly string[]): Promise<string> {
  const { ours, dockerd } = await scene.both(...args)
  const shown = [ours, dockerd].map(({ code, stdout, stderr }) => ({
    args,
    code,
    stdout: rooted(stdout),
    stderr: rooted(stderr),
  }))
  expect(shown[0]).toEqual(shown[1])
  return shown[0]?.stdout ?? ''
}

async function sameJson(path: string): Promise<unknown> {
  const mine = await scene.ours.request('GET', path)
  const theirs = await scene.askPeer(path)
  const [a, b] = [mine, theirs].map(({ status, body }) => ({ status, body: JSON.parse(rooted(body)) as unknown }))
  expect(a).toEqual(b)
  return a?.body
}

const run = (...args: readonly string[]) => ['run', '--network', 'none', ...args]

test('volumes are made, shown, listed and removed', async () => {
  await same('volume', 'create', 'bare')
  await same('volume', 'create', '--label', 'a=b', '--label', 'c', 'labelled')
  await same('volume', 'create', '-o', 'type=tmpfs', '-o', 'device=tmpfs', '-o', 'o=size=1m,uid=5', 'options')
  for (const name of ['bare', 'labelled', 'options']) await sameJson(`/volumes/${name}`)
  await same('volume', 'ls')
  for (const filter of ['label=a=b', 'label=c', 'label=d', 'name=^b', 'dangling=1', 'dangling=false', 'driver=local']) {
    await same('volume', 'ls', '-q', '--filter', filter)
  }
  await same('volume', 'create', 'bare')
  await same('volume', 'rm', 'bare', 'nosuch')
  await same('volume', 'rm', '-f', 'nosuch')
  await same('volume', 'inspect', 'bare', 'labelled')
  await same('volume', 'rm', 'labelled', 'options')
  expect(await same('volume', 'ls', '-q')).toBe('')
})

test('a container has its mounts as dockerd gives them', async () => {
  const mounts = [
    ...['-v', 'named:/data', '-v', '/anon', '-v', 'second:/ro:ro', '-v', 'kept:/data2:nocopy'],
    ...['--mount', 'type=volume,dst=/mv', '--mount', 'type=volume,src=lab,dst=/ml,volume-label=a=b,volume-nocopy'],
    ...['--mount', `type=bind,src=${scene.directory},dst=/b,readonly`, '-v', `${scene.directory}/new:/nd`],
    ...['--mount', 'type=tmpfs,dst=/t,tmpfs-size=1m,tmpfs-mode=700', '--tmpfs', '/t2'],
  ]
  const look = `stat -c '%n %a %u %g' /data /data/* /anon /mv /ml; cat /data/file; readlink /data/out; touch /ro/x /b/x
    grep -E ' /(data|anon|ro|mv|ml|b|t|t2|nd) ' /proc/mounts | cut -d' ' -f 2-3 | sort`
  await same(...run('--name', 'mounts', ...mounts, image, 'sh', '-c', look))
  const shown = async (path: string) => {
    const bodies = [(await scene.ours.request('GET', path)).body, (await scene.askPeer(path)).body]
    return bodies
      .map((body) => JSON.parse(rooted(body)) as Inspected | Inspected[])
      .map((one) => (Array.isArray(one) ? one[0] : one))
  }
  const [mine, theirs] = await shown('/containers/mounts/json')
  expect(sorted(mine?.Mounts)).toEqual(sorted(theirs?.Mounts))
  expect({ ...mine?.HostConfig.Tmpfs, mounts: mine?.HostConfig.Mounts, from: mine?.HostConfig.VolumesFrom }).toEqual({
    ...theirs?.HostConfig.Tmpfs,
    mounts: theirs?.HostConfig.Mounts,
    from: theirs?.HostConfig.VolumesFrom,
  })
  expect(mine?.HostConfig.Binds.toSorted()).toEqual(theirs?.HostConfig.Binds.toSorted())
  expect(mine?.Config.Volumes).toEqual(theirs?.Config.Volumes)
  const [listed, theirList] = await shown('/containers/json?all=1')
  expect(sorted(listed?.Mounts)).toEqual(sorted(theirList?.Mounts))
  for (const filter of ['named', '/data', scene.directory, 'nosuch', '/t', '/t2']) {
    await same('ps', '-a', '--filter', `volume=${filter}`, '--format', '{{.Names}}')
  }
  await same('volume', 'rm', 'named')
  await same('rm', '-v', 'mounts')
  await same('volume', 'ls', '-q')
  await scene.onBoth('volume', 'prune', '-af')
})

interface Inspected {
  readonly Mounts: { readonly Destination: string }[]
  readonly HostConfig: {
    readonly Mounts: unknown
    readonly Binds: string[]
    readonly Tmpfs: object
    readonly VolumesFrom: unknown
  }
  readonly Config: { readonly Volumes: unknown }
}

function sorted(mounts: readonly { readonly Destination: string }[] = []) {
  return mounts.toSorted((a, b) => (a.Destination < b.Destination ? -1 : 1))
}

test('volumes of another container, read-only or not, and what comes before them', async () => {
  await scene.onBoth(...run('--name', 'giver', '-v', 'given:/data', '-v', '/anon', image, 'true'))
  const script = 'ls /data; touch /anon/x /data/x; ls /own'
  await same(
    ...run('--name', 'taker', '--volumes-from', 'giver:ro', '-v', '/data', '-v', 'own:/own', image, 'sh', '-c', script),
  )
  await same(...run('--rm', '--volumes-from', 'giver', image, 'sh', '-c', script))
  const mounts = async (body: string) => sorted((JSON.parse(rooted(body)) as Inspected).Mounts)
  const path = '/containers/taker/json'
  expect(await mounts((await scene.ours.request('GET', path)).body)).toEqual(
    await mounts((await scene.askPeer(path)).body),
  )
  // The anonymous one is still the other's.
  await same('rm', '-v', 'giver')
  expect(lines(await same('volume', 'ls', '-q'))).toHaveLength(3)
  await same('rm', '-v', 'taker')
  await scene.onBoth('volume', 'prune', '-af')
})

test('what an image declares is an anonymous volume with its data, and goes with a container that removes itself', async () => {
  expect(await same(...run('--rm', 'with-volume', 'sh', '-c', 'cat /data/file; grep -c " /data " /proc/mounts'))).toBe(
    'hello\n1\n',
  )
  expect(await same('volume', 'ls', '-q')).toBe('')
  await same(...run('--name', 'kept', '-v', 'named:/data', 'with-volume', 'ls', '/data'))
  // Once filled it stays as it is.
  await same(...run('--rm', '-v', 'named:/bin2', image, 'sh', '-c', 'rm /bin2/file; ls /bin2'))
  await same(...run('--rm', '-v', 'named:/data', image, 'ls', '/data'))
  await same('rm', 'kept')
  await scene.onBoth('volume', 'prune', '-af')
})

test('options are mounted at the first use and unmounted after the last', async () => {
  await scene.onBoth('volume', 'create', '-o', 'type=tmpfs', '-o', 'device=tmpfs', '-o', 'o=size=1m,uid=5', 'memory')
  await scene.onBoth(
    'volume',
    'create',
    '-o',
    'type=none',
    '-o',
    `device=${scene.directory}`,
    '-o',
    'o=bind,ro',
    'bound',
  )
  await scene.onBoth('volume', 'create', '-o', 'type=none', '-o', 'device=/nosuch', '-o', 'o=bind', 'nowhere')
  const script = 'grep " /o " /proc/mounts | cut -d" " -f 3-4 | cut -d, -f1; stat -c "%u %a" /o; touch /o/x; ls /o'
  for (const name of ['memory', 'memory', 'bound'])
    await same(...run('--rm', '-v', `${name}:/o`, image, 'sh', '-c', script))
  await same(...run('--rm', '-v', 'nowhere:/o', image, 'true'))
  await same('volume', 'rm', 'memory', 'bound', 'nowhere')
})

test('a part of a volume or image is mounted, and nothing outside of it', async () => {
  await scene.onBoth(...run('--rm', '-v', 'parts:/data', image, 'true'))
  for (const part of ['sub', 'nosuch', 'out', 'file']) {
    await same(
      ...run(
        '--rm',
        '--mount',
        `type=volume,src=parts,dst=/s,volume-subpath=${part}`,
        image,
        'sh',
        '-c',
        'ls /s; cat /s',
      ),
    )
  }
  await same('volume', 'rm', 'parts')
})

test('propagation needs a mount of the host that takes part in it', async () => {
  for (const mode of ['rshared', 'shared', 'rslave', 'slave', 'rprivate']) {
    await same(...run('--rm', '-v', `${scene.directory}:/b:${mode}`, image, 'true'))
  }
})

test('prune takes what has no name, or everything, or what is filtered; older clients mean everything', async () => {
  for (const label of ['x=1', 'y=1'])
    await scene.onBoth('volume', 'create', '--label', label, label.slice(0, 1).repeat(3))
  await scene.onBoth(...run('-v', '/anon', '-v', 'big:/data', '--name', 'user', image, 'true'))
  await scene.onBoth('rm', 'user')
  const prune = async (path: string) => {
    const mine = await scene.ours.request('POST', path)
    const theirs = await scene.askPeer(path, 'POST')
    const [a, b] = [mine.body, theirs.body].map((body) => JSON.parse(rooted(body)) as { VolumesDeleted: string[] })
    expect({ ...a, VolumesDeleted: a?.VolumesDeleted.toSorted() }).toEqual({
      ...b,
      VolumesDeleted: b?.VolumesDeleted.toSorted(),
    })
    return a?.VolumesDeleted.toSorted()
  }
  const usage = async (body: string) =>
    (JSON.parse(rooted(body)) as { Volumes: { Name: string }[] }).Volumes.toSorted((a, b) => (a.Name < b.Name ? -1 : 1))
  const path = '/system/df?type=volume'
  expect(await usage((await scene.ours.request('GET', path)).body)).toEqual(
    await usage((await scene.askPeer(path)).body),
  )
  const filters = (value: object) => encodeURIComponent(JSON.stringify(value))
  expect(await prune(`/v1.51/volumes/prune?filters=${filters({ 'label!': ['x'] })}`)).toEqual(['ID'])
  expect(await prune(`/v1.51/volumes/prune?filters=${filters({ all: ['true'], label: ['x=1'] })}`)).toEqual(['xxx'])
  expect(await prune('/v1.41/volumes/prune')).toEqual(['big', 'yyy'])
})

test('events of volumes', async () => {
  await scene.onBoth(...run('--rm', '-v', 'told:/data:ro', '-v', '/anon', image, 'true'))
  await scene.onBoth('volume', 'rm', 'told')
  const until = String(Math.floor(Date.now() / 1000) + 1)
  const told = ['--filter', 'type=volume', '--filter', 'volume=told', '--format', '{{.Action}} {{json .Actor}}']
  const { ours, dockerd } = await scene.both('events', '--since', '0', '--until', until, ...told)
  expect(lines(rooted(ours.stdout))).toEqual(lines(rooted(dockerd.stdout)))
  expect(lines(ours.stdout).map((line) => line.split(' ')[0])).toEqual(['create', 'mount', 'unmount', 'destroy'])
})
