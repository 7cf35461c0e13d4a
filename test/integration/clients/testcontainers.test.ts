import { join } from 'node:path'
import { expect, test } from 'vitest'
import { startDaemon } from '#test/support/daemon.ts'
import { fetchNpmClients } from '#test/support/npm-clients.ts'
import { waitFor } from '#test/support/wait-for.ts'
import { addReaperImage, reaperImage } from './reaper.ts'

test('testcontainers starts and stops containers, and its reaper removes what it leaves', async () => {
  fetchNpmClients()
  await using daemon = await startDaemon()
  await addReaperImage(daemon)
  const list = async (...args: string[]) =>
    (await daemon.docker(...args, '--filter', 'label=org.testcontainers=true')).stdout.split('\n').filter(Boolean)
  const env = ['env', `RYUK_CONTAINER_IMAGE=${reaperImage}`, `TMPDIR=${daemon.directory}`]
  const script = join(import.meta.dirname, 'testcontainers-life.ts')
  const life = await daemon.run([...daemon.enter, ...env, process.execPath, script])
  expect(life).toMatchObject({ code: 0, stderr: '' })
  expect(JSON.parse(life.stdout)).toEqual({ answer: 'copied', output: 'copied', exitCode: 0, line: 'ready' })
  await waitFor('the reaper has removed everything, and itself', async () => (await list('ps', '-aq')).length === 0, {
    timeoutMs: 60_000,
  })
  expect(await list('network', 'ls', '-q')).toEqual([])
})
