import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startDaemon, type TestDaemon } from '#test/support/daemon.ts'
import { waitFor } from '#test/support/wait-for.ts'

const file = join(import.meta.dirname, 'shop/compose.yaml')
// It takes the newest API it is offered, and then fails to recreate: it wants ContainerConfig of images, which 1.45 has no more.
const client = ['env', 'COMPOSE_API_VERSION=1.44', 'docker-compose', '--ansi', 'never', '-p', 'shop', '-f', file]

let daemon: TestDaemon
beforeAll(async () => {
  daemon = await startDaemon()
})
afterAll(() => daemon[Symbol.asyncDispose]())

const compose = (...args: string[]) => daemon.run([...client, ...args])

/** The output of a compose command that succeeds. */
async function done(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await compose(...args)
  if (code !== 0) throw new Error(`docker-compose ${args.join(' ')}: ${stderr}`)
  return stdout.trim()
}

const appAnswers = (): Promise<string> => done('exec', '-T', 'web', 'wget', '-qO-', 'http://app:8000/')
const containers = async (): Promise<string> => (await daemon.docker('ps', '-aq')).stdout

test('a project of three services goes from up to down', { timeout: 240_000 }, async () => {
  expect(await done('version', '--short')).toMatch(/^1\./)
  await done('up', '-d', '--scale', 'app=2')
  expect(await done('ps')).toMatch(/shop_db_1 .* Up \(healthy\)/)
  expect(await appAnswers()).toBe('first')
  expect(await done('port', 'web', '80')).toMatch(/^127\.0\.0\.1:\d+$/)
  expect(await compose('exec', '-T', 'app', 'sh', '-c', 'echo $TIER; exit 3')).toMatchObject({
    code: 3,
    stdout: 'middle\n',
  })
  const [, ...logged] = (await done('logs', '--no-color', 'app')).split('\n').toSorted()
  expect(logged).toEqual(['app_1  | serving', 'app_2  | serving'])
  await done('exec', '-T', 'db', 'sh', '-c', 'echo second >/data/rows')
  await done('restart')
  await waitFor('the app asks the database anew', async () => (await appAnswers().catch(() => '')) === 'second')
  // Links to the other containers of its service are among what it asks for.
  expect(await done('run', '--rm', '-T', 'app', 'nc', 'db', '5432')).toBe('second')
  await done('up', '-d', '--force-recreate')
  expect((await containers()).trim().split('\n')).toHaveLength(3)
  expect(await appAnswers()).toBe('second')
  await done('pause')
  await done('unpause')
  expect(await done('top', 'web')).toContain('httpd -f -p 80 -h /pages')
  await done('down', '-v')
  expect(await containers()).toBe('')
  const own = ['--filter', 'label=com.docker.compose.project=shop']
  expect((await daemon.docker('volume', 'ls', '-q', ...own)).stdout).toBe('')
  expect((await daemon.docker('network', 'ls', '-q', ...own)).stdout).toBe('')
})
