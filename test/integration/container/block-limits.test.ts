import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { beforeAll, expect, test } from 'vitest'
import { busybox, startDaemon, type TestDaemon } from '../../support/daemon.ts'

let daemon: TestDaemon
beforeAll(async () => {
  daemon = await startDaemon()
  return () => daemon[Symbol.asyncDispose]()
})

/** A whole disk of this host: parts of one have no limits of their own. */
function someDisk(): { path: string; number: string } {
  const name = readdirSync('/sys/block').find((one) => existsSync(`/dev/${one}`))
  if (name === undefined) throw new Error('there is no disk below /sys/block with a node in /dev')
  return { path: `/dev/${name}`, number: readFileSync(`/sys/block/${name}/dev`, 'utf8').trim() }
}

test('speeds of a disk are limits of the group', async () => {
  const { path, number } = someDisk()
  const flags = ['--device-read-bps', `${path}:1mb`, '--device-write-iops', `${path}:70`, '--network', 'none']
  const id = await daemon.runDetached(...flags, busybox, 'sleep', '600')
  const read = async (v1: string) => {
    const script = `cat /sys/fs/cgroup/blkio/${v1} 2>/dev/null || cat /sys/fs/cgroup/io.max`
    return (await daemon.docker('exec', id, 'sh', '-c', script)).stdout.trim()
  }
  expect([`${number} 1048576`, `${number} rbps=1048576 wbps=max riops=max wiops=70`]).toContain(
    await read('blkio.throttle.read_bps_device'),
  )
  expect([`${number} 70`, `${number} rbps=1048576 wbps=max riops=max wiops=70`]).toContain(
    await read('blkio.throttle.write_iops_device'),
  )
  const { HostConfig } = await daemon.json('GET', `/containers/${id}/json`)
  expect(HostConfig).toMatchObject({
    BlkioDeviceReadBps: [{ Path: path, Rate: 1 << 20 }],
    BlkioDeviceWriteBps: [],
    BlkioDeviceReadIOps: [],
    BlkioDeviceWriteIOps: [{ Path: path, Rate: 70 }],
  })
})

test.each([
  // By such words the docker CLI takes the command for missing, with dockerd too.
  ['/dev/no-such-disk', 127, 'stat /dev/no-such-disk: no such file or directory'],
  ['/dev/null', 125, '/dev/null is no block device'],
])('%s has no speed to limit, which the start says', async (path, expected, text) => {
  const { code, stderr } = await daemon.docker('run', '--rm', '--device-write-bps', `${path}:1mb`, busybox, 'true')
  expect(code).toBe(expected)
  expect(stderr).toContain(text)
})
