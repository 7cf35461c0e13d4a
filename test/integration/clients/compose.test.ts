import { mkdir, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type CommandResult, startDaemon, type TestDaemon } from '#test/support/daemon.ts'
import { composePlugin } from '#test/support/dockerd.ts'
import { followDocker } from '#test/support/follow.ts'
import { waitFor } from '#test/support/wait-for.ts'

const project = ['-p', 'shop', '-f', join(import.meta.dirname, 'shop/compose.yaml')]

let daemon: TestDaemon
beforeAll(async () => {
  daemon = await startDaemon()
  await mkdir(join(daemon.directory, 'cli-plugins'))
  await symlink(composePlugin(), join(daemon.directory, 'cli-plugins/docker-compose'))
})
afterAll(() => daemon[Symbol.asyncDispose]())

const compose = (...args: string[]): Promise<CommandResult> =>
  daemon.docker('compose', '--progress', 'quiet', ...project, ...args)

/** The output of a compose command that succeeds. */
async function done(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await compose(...args)
  if (code !== 0) throw new Error(`docker compose ${args.join(' ')}: ${stderr}`)
  return stdout.trim()
}

const lines = (text: string): string[] => text.split('\n').filter((line) => line !== '')

async function left(what: 'ps' | 'network' | 'volume'): Promise<string[]> {
  const list = what === 'ps' ? ['ps', '-aq'] : [what, 'ls', '-q']
  const { stdout } = await daemon.docker(...list, '--filter', 'label=com.docker.compose.project=shop')
  return lines(stdout)
}

const appAnswers = (): Promise<string> => done('exec', '-T', 'web', 'wget', '-qO-', 'http://app:8000/')

test('a project of three services goes from up to down', { timeout: 240_000 }, async () => {
  await using events = followDocker(daemon, 'compose', ...project, 'events', '--json')
  await done('up', '-d', '--wait', '--scale', 'app=3')
  await events.until('"service":"web"')
  const services = lines(await done('ps', '--format', '{{.Service}} {{.State}} {{.Health}}'))
  expect(services.map((line) => line.trim()).toSorted()).toEqual([
    ...['app running', 'app running', 'app running'],
    ...['db running healthy', 'web running'],
  ])
  expect(await appAnswers()).toBe('first')
  const published = await done('port', 'web', '80')
  expect(published).toMatch(/^127\.0\.0\.1:\d+$/)
  const page = await daemon.run([...daemon.enter, 'busybox', 'wget', '-qO-', `http://${published}/`])
  expect(page.stdout).toBe('hello\n')

  expect(await compose('exec', '-T', 'app', 'sh', '-c', 'echo $TIER; echo why >&2; exit 3')).toEqual({
    code: 3,
    stdout: 'middle\n',
    stderr: 'why\n',
  })
  expect(lines(await done('logs', '--no-color', 'app')).toSorted()).toEqual([
    ...['app-1  | serving', 'app-2  | serving', 'app-3  | serving'],
  ])
  expect(await done('top', 'web')).toContain('httpd -f -p 80 -h /pages')
  expect(await done('ls', '--format', 'json')).toContain('"Name":"shop","Status":"running(5)"')

  await done('exec', '-T', 'db', 'sh', '-c', 'echo second >/data/rows')
  await done('restart')
  await waitFor('the app asks the database anew', async () => (await appAnswers().catch(() => '')) === 'second')
  await done('cp', 'web:/pages/index.html', join(daemon.directory, 'got'))
  await done('cp', join(daemon.directory, 'got'), 'db:/data/copied')
  expect(await done('run', '--rm', '-T', 'app', 'nc', 'db', '5432')).toBe('second')

  await done('up', '-d', '--wait', '--scale', 'app=1', '--force-recreate')
  expect(await left('ps')).toHaveLength(3)
  expect(await done('exec', '-T', 'db', 'cat', '/data/rows', '/data/copied')).toBe('second\nhello')
  expect(await appAnswers()).toBe('second')

  await done('pause')
  expect(await done('ps', '--status', 'paused', '--services')).toBe('app\ndb\nweb')
  await done('unpause')
  await done('stop', '-t', '1', 'web')
  await done('start', 'web')
  await done('kill', 'db')
  expect(await done('ps', '--status', 'exited', '--services')).toBe('db')

  await done('down')
  expect([await left('ps'), await left('network')]).toEqual([[], []])
  expect(await left('volume')).toEqual(['shop_rows', 'shop_uploads'])
  await done('up', '-d', '--wait')
  expect(await appAnswers()).toBe('second')
  await done('down', '-v')
  expect([await left('ps'), await left('network'), await left('volume')]).toEqual([[], [], []])
})

test('a service that never becomes healthy fails up, and what waits for it does not start', async () => {
  const file = join(import.meta.dirname, 'shop/unhealthy.yaml')
  const up = await daemon.docker('compose', '--progress', 'quiet', '-p', 'sick', '-f', file, 'up', '-d')
  expect(up.code).toBe(1)
  expect(up.stderr).toContain('dependency failed to start: container sick-db-1 is unhealthy')
  const { stdout } = await daemon.docker(
    'compose',
    '-p',
    'sick',
    '-f',
    file,
    'ps',
    '-a',
    '--format',
    '{{.Name}} {{.State}}',
  )
  expect(lines(stdout)).toEqual(['sick-app-1 created', 'sick-db-1 running'])
  expect((await daemon.docker('compose', '-p', 'sick', '-f', file, 'down', '-t', '0')).code).toBe(0)
})
