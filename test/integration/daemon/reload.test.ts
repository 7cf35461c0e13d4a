import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeAll, expect, test } from 'vitest'
import { startDaemon, type TestDaemon } from '../../support/daemon.ts'
import { tempDirectory } from '../../support/temp.ts'
import { waitFor } from '../../support/wait-for.ts'

let daemon: TestDaemon
let file: string
beforeAll(async () => {
  const directory = await tempDirectory('berth-reload-')
  file = join(directory.path, 'daemon.json')
  await write({ labels: ['a=b'], mtu: 1400 })
  daemon = await startDaemon({ withImage: false, args: ['--config-file', file, '--max-concurrent-uploads', '2'] })
  return async () => {
    await daemon[Symbol.asyncDispose]()
    await directory[Symbol.asyncDispose]()
  }
})

const write = (settings: object) => writeFile(file, JSON.stringify(settings))
const info = () => daemon.json('GET', '/info')

/** SIGHUP, and what the log says from there to the answer. */
async function hangUp(answer: string): Promise<string> {
  const before = daemon.log.length
  process.kill(daemon.pid, 'SIGHUP')
  const since = () => daemon.log.slice(before)
  await waitFor(`the log says: ${answer}`, () => since().includes(answer))
  return since()
}

test('what can change while containers run is read again at SIGHUP, and an event tells it', async () => {
  expect(await info()).toMatchObject({ Debug: false, Labels: ['a=b'] })
  await write({
    debug: true,
    labels: ['c=d'],
    'registry-mirrors': ['https://m.lan'],
    'insecure-registries': ['x.lan:5000'],
    'max-concurrent-downloads': 7,
    runtimes: { other: { path: '/bin/true' } },
    'default-runtime': 'other',
    mtu: 1300,
  })
  const since = Date.now() / 1000 - 1
  const said = await hangUp('Reloaded configuration')
  expect(said).toContain('settings that have changed count only after a restart')
  expect(said).toContain('keys=mtu')
  expect(await info()).toMatchObject({
    Debug: true,
    Labels: ['c=d'],
    DefaultRuntime: 'other',
    Runtimes: { berth: {}, other: { path: '/bin/true' } },
    RegistryConfig: { Mirrors: ['https://m.lan/'], IndexConfigs: { 'x.lan:5000': { Secure: false } } },
  })
  const { stdout } = await daemon.docker(
    ...['events', '--since', String(since), '--until', String(Date.now() / 1000 + 1)],
    ...['--filter', 'type=daemon', '--format', '{{json .}}'],
  )
  expect(JSON.parse(stdout)).toMatchObject({
    Action: 'reload',
    Actor: {
      ID: (await info()).ID,
      Attributes: {
        debug: 'true',
        'default-runtime': 'other',
        'insecure-registries': '["x.lan:5000"]',
        labels: '["c=d"]',
        'max-concurrent-downloads': '7',
        'max-concurrent-uploads': '2',
        runtimes: 'other:/bin/true',
      },
    },
  })
})

test('a file with anything wrong in it changes nothing', async () => {
  await write({ labels: ['kept=yes'] })
  await hangUp('Reloaded configuration')
  for (const [settings, text] of [
    [{ labels: ['new=1'], debug: 'x' }, 'debug is not true or false'],
    [{ labels: ['new=1'], nonsense: 1 }, "don't match any configuration option: nonsense"],
    [{ labels: ['x=1', 'x=2'] }, 'conflict labels for x=2 and x=1'],
    [{ labels: ['new=1'], 'default-runtime': 'none' }, "specified default runtime 'none' does not exist"],
    [{ labels: ['new=1'], 'registry-mirrors': ['ftp://x'] }, 'invalid mirror'],
    [{ labels: ['new=1'], 'max-concurrent-uploads': 3 }, 'specified both as a flag and in the configuration file'],
  ] as const) {
    await write(settings)
    expect(await hangUp('Error reloading configuration')).toContain(text)
    expect(await info()).toMatchObject({ Labels: ['kept=yes'], DefaultRuntime: 'berth' })
  }
  await rm(file)
  expect(await hangUp('Error reloading configuration')).toContain('ENOENT')
})

test('the level of the log is one of them', async () => {
  await write({ 'log-level': 'error', labels: ['quiet=yes'] })
  process.kill(daemon.pid, 'SIGHUP')
  await waitFor('the labels are there', async () => String((await info()).Labels) === 'quiet=yes')
  await write({ nonsense: 1 })
  expect(await hangUp('Error reloading configuration')).not.toContain('level=info')
})

test('a configuration is checked without starting anything', async () => {
  await write({ labels: ['a=b'] })
  const program = join(import.meta.dirname, '../../../src/main.ts')
  const validate = (...flags: string[]) =>
    daemon.run([process.execPath, program, 'daemon', '--validate', '--config-file', file, ...flags])
  expect(await validate()).toEqual({ code: 0, stdout: '', stderr: 'configuration OK\n' })
  const { code, stderr } = await validate('--label', 'c=d')
  expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining('labels: (from flag --label: [c=d]') })
})
