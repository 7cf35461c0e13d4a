import { randomBytes } from 'node:crypto'
import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { buildImage } from '#test/support/base-image.ts'
import { startDaemon, type TestDaemon } from '#test/support/daemon.ts'
import { seedRegistry, startRegistry } from '#test/support/registry.ts'
import { tar } from '#test/support/tar.ts'
import { waitFor } from '#test/support/wait-for.ts'

const layerBytes = 100 << 20
/** After so much of it the network falls silent. */
const passedBytes = 40 << 20
const image = buildImage({ layers: [tar([{ name: 'big', content: randomBytes(layerBytes) }])], compression: 'none' })

/** Of the largest unfinished download: the layer's. Small ones come and go meanwhile. */
async function ingestedBytes({ dataRoot }: TestDaemon): Promise<number> {
  const directory = join(dataRoot, 'content/ingest')
  const found = (await readdir(directory)).map((name) => stat(join(directory, name)).catch(() => undefined))
  return Math.max(0, ...(await Promise.all(found)).map((file) => file?.size ?? 0))
}

/** That came in over the loopback of the daemon's network namespace. */
async function receivedBytes({ namespaceOwner }: TestDaemon): Promise<number> {
  const table = await readFile(`/proc/${namespaceOwner}/net/dev`, 'utf8')
  return Number(/^\s*lo:\s*(\d+)/m.exec(table)?.[1])
}

async function nft(daemon: TestDaemon, command: string): Promise<void> {
  expect(await daemon.run([...daemon.enter, 'nft', command])).toMatchObject({ code: 0, stderr: '' })
}

test('a registry that is killed in the middle of docker pull and started again is gone on with', async () => {
  await using daemon = await startDaemon({ withImage: false })
  const storage = join(daemon.directory, 'storage')
  await seedRegistry(storage, { 'big:latest': image })
  const options = { storage, enter: daemon.enter, port: 5000 }
  await using killed = await startRegistry(options)
  await nft(daemon, 'add table inet limited')
  await nft(daemon, 'add chain inet limited in { type filter hook input priority 0; }')
  await nft(daemon, `add rule inet limited in tcp sport 5000 quota over ${passedBytes} bytes drop`)
  const before = await receivedBytes(daemon)
  const pull = daemon.docker('pull', '127.0.0.1:5000/big')
  await waitFor('much of the layer is here', async () => (await ingestedBytes(daemon)) > 0.7 * passedBytes)
  await killed[Symbol.asyncDispose]()
  await nft(daemon, 'delete table inet limited')
  await using _again = await startRegistry(options)
  const { code, stdout } = await pull
  expect([code, stdout]).toEqual([0, expect.stringContaining(': Retrying in ')])
  expect(stdout).toContain(`Digest: ${image.root.digest}\n`)
  // What was in buffers comes twice.
  expect((await receivedBytes(daemon)) - before).toBeLessThan(layerBytes + 0.6 * passedBytes)
})
