import { mkdir, readlink, symlink, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { parseContainerConfig } from '#api/parse/container-config.ts'
import { parseHostConfig } from '#api/parse/host-config.ts'
import { parseBind } from '#api/parse/mounts.ts'
import type { Container, HostSettings } from '#containers/container.ts'
import { defaultLabelOptions } from '#containers/selinux/default-options.ts'
import { findHostLabels } from '#containers/selinux/host-labels.ts'
import { labelsOf, levelsOf } from '#containers/selinux/labels.ts'
import { freeLevel } from '#containers/selinux/levels.ts'
import { relabelSources } from '#containers/selinux/relabel.ts'
import { Selinux } from '#containers/selinux/selinux.ts'
import { buildSpec } from '#containers/spec/build-spec.ts'
import { execProcess } from '#containers/spec/process.ts'
import { tempDirectory } from '#test/support/temp.ts'

const host = {
  process: 'system_u:system_r:container_t:s0',
  file: 'system_u:object_r:container_file_t:s0',
  readOnlyFile: 'system_u:object_r:container_ro_file_t:s0',
}
const level = () => 's0:c1,c2'

test('a container has two categories that no other has', () => {
  expect(freeLevel(new Set(), () => 0)).toBe('s0:c0,c1')
  expect(freeLevel(new Set(), () => 1022)).toBe('s0:c0,c1023')
  expect(freeLevel(new Set(), () => 1023)).toBe('s0:c1,c2')
  expect(freeLevel(new Set(['s0:c0,c1', 's0:c0,c2']), () => 0)).toBe('s0:c0,c3')
  // After the last pair, which is kept for privileged containers, comes the first.
  expect(freeLevel(new Set(), (below) => below - 1)).toBe('s0:c0,c1')
})

test('every pair is given out before there is none', () => {
  const taken = new Set<string>()
  for (let low = 0; low < 1024; low++) for (let high = low + 1; high < 1024; high++) taken.add(`s0:c${low},c${high}`)
  const last = 's0:c700,c701'
  taken.delete(last)
  expect(freeLevel(taken, () => 0)).toBe(last)
  taken.add(last)
  expect(() => freeLevel(taken, () => 0)).toThrow('every pair of SELinux categories')
})

test.each([
  [[], 'system_u:system_r:container_t:s0:c1,c2', 'system_u:object_r:container_file_t:s0:c1,c2'],
  [['type:spc_t'], 'system_u:system_r:spc_t:s0:c1,c2', 'system_u:object_r:container_file_t:s0:c1,c2'],
  [['level:s0:c9'], 'system_u:system_r:container_t:s0:c9', 'system_u:object_r:container_file_t:s0:c9'],
  [['user:u', 'role:r'], 'u:r:container_t:s0:c1,c2', 'u:object_r:container_file_t:s0:c1,c2'],
  [['filetype:svirt_t'], 'system_u:system_r:container_t:s0:c1,c2', 'system_u:object_r:svirt_t:s0:c1,c2'],
  [['type:x', 'disable', 'nonsense'], '', 'system_u:object_r:container_file_t:s0:c1022,c1023'],
])('with the label options %j the labels are %s and %s', (options, process, mount) => {
  expect(labelsOf(host, options, level)).toEqual({ process, mount })
})

test('label options that are wrong are refused in words of Docker', () => {
  expect(() => labelsOf(host, ['bogus'], level)).toThrow(
    `bad label option "bogus", valid options 'disable' or \n'user, role, level, type, filetype' followed by ':' and a value`,
  )
  expect(() => labelsOf(host, ['size:1'], level)).toThrow(
    `bad label option "size", valid options 'disable, user, role, level, type, filetype'`,
  )
})

test('a policy without levels, or without labels for containers, gives what it has', () => {
  const plain = { process: 'u:r:p', file: 'u:object_r:f', readOnlyFile: '' }
  const none = () => expect.unreachable()
  expect(labelsOf(plain, [], none)).toEqual({ process: 'u:r:p', mount: 'u:object_r:f' })
  expect(labelsOf({ ...plain, process: '' }, ['bogus'], none)).toEqual({ process: '', mount: 'u:object_r:f' })
  expect(levelsOf({ process: 'u:r:p', mount: '' })).toEqual([''])
})

const asked = (settings: Partial<HostSettings>) =>
  ({ securityOpt: [], ipcMode: '', pidMode: '', privileged: false, ...settings }) as unknown as HostSettings
const running = (process: string) => () => ({ selinux: { process, mount: '' } }) as never

test.each([
  [{}, []],
  [{ privileged: true }, ['label=disable']],
  [{ pidMode: 'host' }, ['label=disable']],
  [{ ipcMode: 'host' }, ['label=disable']],
  [{ privileged: true, securityOpt: ['label=type:x'] }, []],
  [{ privileged: true, securityOpt: ['label:type:x'] }, ['label=disable']],
  [{ ipcMode: 'container:a' }, ['label=user:u', 'label=role:r', 'label=type:t', 'label=level:s0:c1,c2']],
  [{ pidMode: 'container:a', ipcMode: 'container:a' }, expect.arrayContaining(['label=level:s0:c1,c2'])],
])('%j has besides the options %j', (settings, options) => {
  expect(defaultLabelOptions(asked(settings), running('u:r:t:s0:c1,c2'))).toEqual(options)
})

test('containers of different labels are not shared', () => {
  const labels: Record<string, string> = { a: 'u:r:t:s0:c1,c2', b: 'u:r:t:s0:c3,c4', free: '' }
  const find = (name: string) => running(labels[name] ?? '')()
  expect(() => defaultLabelOptions(asked({ pidMode: 'container:a', ipcMode: 'container:b' }), find)).toThrow(
    "--ipc and --pid containers SELinux labels aren't the same",
  )
  expect(defaultLabelOptions(asked({ pidMode: 'container:a', ipcMode: 'container:free' }), find)).toEqual([])
})

async function hostWith(files: Record<string, string>) {
  const directory = await tempDirectory()
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(join(directory.path, name)), { recursive: true })
    await writeFile(join(directory.path, name), text)
  }
  return directory
}

const mounted = '24 1 0:21 / /sys/fs/selinux rw,nosuid shared:9 - selinuxfs selinuxfs rw\n'
const policy = {
  'proc/self/mountinfo': `1 1 0:2 / / rw - overlay root rw\n${mounted}`,
  'proc/thread-self/attr/current': 'system_u:system_r:container_runtime_t:s0\0',
  'etc/selinux/config': '# comment\nSELINUX=enforcing\nSELINUXTYPE=targeted\n',
  'etc/selinux/targeted/contexts/lxc_contexts': `; comment\nprocess = "${host.process}"\nfile = "${host.file}"\n`,
}

test('labels come from the policy, and before it from the distribution', async () => {
  await using directory = await hostWith(policy)
  expect(findHostLabels(directory.path)).toEqual({ ...host, readOnlyFile: host.file })
  await mkdir(join(directory.path, 'usr/share/containers/selinux'), { recursive: true })
  await writeFile(join(directory.path, 'usr/share/containers/selinux/contexts'), 'process="a:b:c"\nro_file = "d:e:f"')
  expect(findHostLabels(directory.path)).toEqual({ process: 'a:b:c', file: '', readOnlyFile: 'd:e:f' })
})

test.each([
  ['no mount of its filesystem', { 'proc/self/mountinfo': '1 1 0:2 / / rw - overlay root rw\n' }],
  ['one that cannot be written', { 'proc/self/mountinfo': mounted.replace('rw,nosuid', 'ro,nosuid') }],
  ['no policy', { 'proc/thread-self/attr/current': 'kernel\0' }],
])('a host with %s has no SELinux', async (_, files) => {
  await using directory = await hostWith({ ...policy, ...files })
  expect(findHostLabels(directory.path)).toBeUndefined()
})

test('a host without label files has SELinux, and no labels for containers', async () => {
  await using directory = await hostWith({ 'proc/self/mountinfo': mounted })
  expect(findHostLabels(directory.path)).toEqual({ process: '', file: '', readOnlyFile: '' })
})

/** What would be labelled: paths, those with everything below ending in /. */
function recorder() {
  const given: string[] = []
  const files = {
    set: async (path: string, label: string) => void given.push(`${path} ${label}`),
    setBelow: async (descriptor: number, label: string) =>
      void given.push(`${await readlink(`/proc/self/fd/${descriptor}`)}/ ${label}`),
  }
  return { given, files, signal: AbortSignal.timeout(10_000) }
}

test('sources of z and Z are labelled, with links followed to them first', async () => {
  await using directory = await hostWith({ 'a/file': '', 'b/file': '' })
  await symlink('b', join(directory.path, 'link'))
  const { given, ...relabelling } = { ...recorder(), mountLabel: 'u:object_r:f:s0:c1,c2' }
  const sources = [`a:/a:z`, `link/file:/b:ro,Z`, `a:/c`].map((text) => parseBind(`${directory.path}/${text}`))
  await relabelSources(sources, relabelling)
  await relabelSources([{ origin: 'volumes', source: `${directory.path}/b`, mode: undefined }], {
    ...relabelling,
    files: { ...relabelling.files, setBelow: async (_, label) => void given.push(label) },
  })
  expect(given.pop()).toBe('u:object_r:f:s0')
  expect(given).toEqual([`${directory.path}/a/ u:object_r:f:s0`, `${directory.path}/b/file/ u:object_r:f:s0:c1,c2`])
  for (const source of ['/usr', '/var/lib/', '/proc/self/root', '/etc/../home']) {
    await expect(relabelSources([parseBind(`${source}:/x:Z`)], relabelling)).rejects.toThrow(
      /^error setting label on mount source '(.*)': SELinux relabeling of \1 is not allowed$/,
    )
  }
  await expect(relabelSources([parseBind('/no/such:/x:Z')], relabelling)).rejects.toThrow(/'\/no\/such': ENOENT/)
  expect(given).toHaveLength(2)
})

test.each([
  ['directory', { process: 'u:r:p', mount: 'u:r:m' }, true],
  ['overlay', { process: 'u:r:p', mount: 'u:r:m' }, false],
  ['directory', { process: '', mount: '' }, undefined],
  ['directory', undefined, undefined],
] as const)('at a start over a root of kind %s with the labels %j files get them', async (kind, selinux, withRoot) => {
  await using directory = await tempDirectory()
  const { given, files, signal } = recorder()
  const container = { mounts: [], selinux } as unknown as Container
  const rootfs = { kind, path: directory.path, lower: [], upper: undefined, work: undefined }
  const etc = { hostname: '/h', hosts: '/hs', resolvConf: '/r' }
  await new Selinux(host, files).labelFiles(container, { etc, rootfs }, signal)
  const expected = ['/h', '/hs', '/r', ...(withRoot ? [`${directory.path}/`] : [])].map((path) => `${path} u:r:m`)
  expect(given).toEqual(withRoot === undefined ? [] : expected)

  const { given: none, ...without } = recorder()
  await new Selinux(undefined, without.files).labelFiles(container, { etc, rootfs }, signal)
  expect(none).toEqual([])
})

test('nothing is being labelled any more when labelling has failed', async () => {
  let running = 0
  const work = async () => {
    running++
    await delay(50)
    running--
  }
  const container = {
    mounts: parseHostConfig({ Binds: ['/usr:/x:Z'] }).mounts,
    selinux: { process: '', mount: 'u:r:m' },
  }
  const etc = { hostname: '/h', hosts: '/hs', resolvConf: '/r' }
  const rootfs = { kind: 'directory', path: '/', lower: [], upper: undefined, work: undefined } as const
  const labels = new Selinux(host, { set: work, setBelow: work })
  const labelling = labels.labelFiles(container as unknown as Container, { etc, rootfs }, AbortSignal.timeout(10_000))
  await expect(labelling).rejects.toThrow('relabeling of /usr is not allowed')
  expect(running).toBe(0)
})

const user = { uid: 0, gid: 0, additionalGids: [], home: '/' }
const input = {
  user,
  etc: { hostname: '/h', hosts: '/hs', resolvConf: '/r' },
  rootfsPath: '/rootfs',
  initProgram: '/init',
  appArmorProfile: undefined,
  cgroupDriver: 'cgroupfs',
  joined: {},
  idMaps: undefined,
  sources: { volume: () => '', image: () => [] },
} as const
const exec = {
  cmd: ['true'],
  env: [],
  user: '',
  workingDir: '',
  tty: false,
  privileged: true,
  attachStdin: false,
  attachStdout: false,
  attachStderr: false,
  detachKeys: '',
  consoleSize: undefined,
}

test.each([
  [{ process: 'u:r:p:s0:c1,c2', mount: 'u:r:m:s0:c1,c2' }, false, 'u:r:p:s0:c1,c2', 'u:r:m:s0:c1,c2'],
  [{ process: 'u:r:p:s0:c1,c2', mount: 'u:r:m:s0:c1,c2' }, true, undefined, 'u:r:m:s0:c1,c2'],
  [{ process: '', mount: 'u:r:m:s0:c1022,c1023' }, false, undefined, 'u:r:m:s0:c1022,c1023'],
  [{ process: '', mount: '' }, false, undefined, undefined],
  [undefined, false, undefined, undefined],
])('with the labels %j on record, privileged %s, config.json has %s and %s', (selinux, privileged, process, mount) => {
  const container = {
    id: 'c'.repeat(64),
    config: parseContainerConfig({ Image: 'bb' }),
    host: parseHostConfig({ Privileged: privileged, NetworkMode: 'none' }),
    mounts: [],
    path: 'sh',
    args: [],
    state: {},
    selinux,
  } as unknown as Container
  const spec = buildSpec(container, input)
  expect([spec.process.selinuxLabel, spec.linux.mountLabel]).toEqual([process, mount])
  // An exec has its container's, privileged or not.
  expect(execProcess(container, exec, { user, apparmorProfile: undefined }).selinuxLabel).toBe(process)
})
