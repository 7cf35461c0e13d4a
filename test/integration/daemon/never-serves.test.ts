/** What `startDaemon` leaves of a daemon that hangs as it starts. */
import { readdir, readFile } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { startDaemon } from '#test/support/daemon.ts'
import { tempDirectory } from '#test/support/temp.ts'

async function commandLines(): Promise<string[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name))
  return await Promise.all(pids.map((pid) => readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')))
}

test('a daemon that does not come to serve is ended', async () => {
  await using marker = await tempDirectory()
  const command = [process.execPath, '-e', 'setInterval(() => {}, 1_000_000)', marker.path]
  await expect(startDaemon({ command, servesWithinMs: 500 })).rejects.toThrow('in vain: the daemon serves')
  expect((await commandLines()).filter((line) => line.includes(marker.path))).toEqual([])
})
