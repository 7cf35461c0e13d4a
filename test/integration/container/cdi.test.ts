import { execFileSync } from 'node:child_process'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeAll, expect, test } from 'vitest'
import { busybox, startDaemon, type TestDaemon } from '../../support/daemon.ts'
import { tempDirectory } from '../../support/temp.ts'

let daemon: TestDaemon
let directory: string
const at = (...names: string[]) => join(directory, ...names)
beforeAll(async () => {
  const temporary = await tempDirectory('berth-cdi-')
  directory = temporary.path
  await mkdir(at('etc'))
  await mkdir(at('run'))
  daemon = await startDaemon({ args: ['--cdi-spec-dir', at('etc'), '--cdi-spec-dir', at('run')] })
  return async () => {
    await daemon[Symbol.asyncDispose]()
    await temporary[Symbol.asyncDispose]()
  }
})

const run = (device: string, script: string, ...flags: string[]) =>
  daemon.docker('run', '--rm', '--network', 'none', ...flags, '--device', device, busybox, 'sh', '-c', script)
const describe = (file: string, kind: string, rest: object) =>
  writeFile(at(file), JSON.stringify({ cdiVersion: '0.7.0', kind, ...rest }))

test('a device brings its node, mounts, environment, groups and hooks', async () => {
  await writeFile(at('shared'), 'from the host\n')
  // The kernel's log: not among the devices that containers may use anyway.
  execFileSync('mknod', [at('kmsg'), 'c', '1', '11'])
  await describe('etc/acme.json', 'acme.com/dev', {
    containerEdits: { env: ['ALL=1', 'BOTH=all'] },
    devices: [
      {
        name: 'one',
        containerEdits: {
          env: ['ONE=1', 'BOTH=one'],
          deviceNodes: [{ path: '/dev/acme', hostPath: at('kmsg'), permissions: 'w', fileMode: 0o640 }],
          mounts: [{ hostPath: at('shared'), containerPath: '/opt/acme', options: ['ro', 'bind'] }],
          additionalGids: [4321],
          hooks: [
            { hookName: 'createRuntime', path: '/bin/sh', args: ['sh', '-c', `cat > ${at('hook.json')}`], timeout: 30 },
          ],
        },
      },
      { name: 'two', containerEdits: { env: ['TWO=1'] } },
    ],
  })
  const script = [
    'echo $ALL $ONE $TWO $BOTH; cat /opt/acme; id -G; stat -c "%a %t,%T" /dev/acme',
    '(: > /dev/acme) && echo writable; (: < /dev/acme) 2>/dev/null || echo not readable; touch /opt/acme 2>&1',
  ]
  const { stdout, stderr } = await run('acme.com/dev=one', script.join('; '), '-e', 'BOTH=own')
  expect(stderr).toBe('')
  expect(stdout.trim().split('\n')).toEqual([
    '1 1 one',
    'from the host',
    '0 4321',
    '640 1,b',
    'writable',
    'not readable',
    expect.stringContaining('Read-only file system'),
  ])
  expect(JSON.parse(await readFile(at('hook.json'), 'utf8'))).toMatchObject({ id: expect.any(String) })
})

test('files are YAML too; the last directory counts most, and a broken file takes nothing away', async () => {
  await describe('etc/two.json', 'two.org/dev', { devices: [{ name: 'it', containerEdits: { env: ['FROM=etc'] } }] })
  await writeFile(
    at('run/two.yaml'),
    'cdiVersion: "0.5.0"\nkind: two.org/dev\ndevices:\n- name: it\n  containerEdits:\n    env:\n    - FROM=run\n',
  )
  await writeFile(at('run/broken.json'), '{')
  await describe('run/unknown.json', 'three.org/dev', { devices: [{ name: 'it', containerEdits: { intelRdt: {} } }] })
  expect((await run('two.org/dev=it', 'echo $FROM')).stdout).toBe('run\n')
  expect(daemon.log).toContain('broken.json is not JSON')
  expect((await run('three.org/dev=it', 'true')).stderr).toContain('unresolvable CDI devices three.org/dev=it')
  expect(daemon.log).toContain('containerEdits.intelRdt is not supported')
})

test('a device that nobody describes, or two files at once, is an error of the start, as with dockerd', async () => {
  await describe('run/x1.json', 'twice.org/dev', { devices: [{ name: 'it' }] })
  await describe('run/x2.json', 'twice.org/dev', { devices: [{ name: 'it' }] })
  for (const device of ['acme.com/dev=none', 'twice.org/dev=it']) {
    const { code, stderr } = await run(device, 'true')
    expect(code).toBe(125)
    expect(stderr).toContain(
      `Error response from daemon: CDI device injection failed: unresolvable CDI devices ${device}`,
    )
  }
})

test('--gpus are the CDI devices of nvidia, and without any it says so', async () => {
  const gpus = (asked: string) =>
    daemon.docker('run', '--rm', '--network', 'none', '--gpus', asked, busybox, 'sh', '-c', 'echo $GPU')
  const { code, stderr } = await gpus('all')
  expect({ code, stderr }).toEqual({
    code: 125,
    stderr: expect.stringContaining('could not select device driver "" with capabilities: [[gpu]]'),
  })
  const device = (name: string) => ({ name, containerEdits: { env: [`GPU=${name}`] } })
  await describe('run/nvidia.json', 'nvidia.com/gpu', { devices: ['0', '1', 'GPU-abc', 'all'].map(device) })
  expect((await gpus('all')).stdout).toBe('all\n')
  expect((await gpus('2')).stdout).toBe('1\n')
  expect((await gpus('device=GPU-abc')).stdout).toBe('GPU-abc\n')
})

test('what was asked for is on record', async () => {
  const { stdout: id } = await daemon.docker('create', '--device', 'acme.com/dev=one', busybox)
  const { stdout } = await daemon.docker('inspect', '-f', '{{json .HostConfig.DeviceRequests}}', id.trim())
  expect(JSON.parse(stdout)).toEqual([
    { Driver: 'cdi', Count: 0, DeviceIDs: ['acme.com/dev=one'], Capabilities: null, Options: null },
  ])
})
