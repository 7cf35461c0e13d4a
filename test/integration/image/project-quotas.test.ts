/** Snapshots and containers that are held to a size, on filesystems with project quotas: in a virtual machine, since few kernels of test machines have them. */
import { execFile } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { dockerCli } from '#test/support/dockerd.ts'
import { bundleForEmulation, emulatedNode, startDaemon } from '#test/support/emulated-node.ts'
import { buildNativeTest } from '#test/support/native-program.ts'
import { tempDirectory } from '#test/support/temp.ts'
import { writeHelloImage } from '../../../src/packaging/hello-image.ts'

const repository = join(import.meta.dirname, '../../..')
const mebibyte = 1 << 20

/** @returns what it said */
async function runInMachine(directory: string, script: string): Promise<string> {
  const path = join(directory, 'script')
  await writeFile(
    path,
    `export PATH=/usr/sbin:/usr/bin:/sbin:/bin\ncd ${repository}\nmount -t tmpfs tmpfs /mnt\n${script}`,
  )
  const { promise, resolve } = Promise.withResolvers<string>()
  const options = ['--timeout', '500', '--modules', 'crc32c_generic loop ext4 quota_v2 xfs', 'bash', path]
  execFile(join(repository, 'test/support/cgroup2-vm'), options, { timeout: 540_000 }, (_, stdout, stderr) =>
    resolve(stdout + stderr),
  )
  return promise
}

const xfs =
  'truncate -s 320M /mnt/xfs.img; mkfs.xfs -q /mnt/xfs.img; mkdir /mnt/xfs; mount -o loop,pquota /mnt/xfs.img /mnt/xfs'
const ext4 =
  'truncate -s 96M /mnt/ext4.img; mkfs.ext4 -q -O quota,project /mnt/ext4.img; mkdir /mnt/ext4; mount -o loop,prjquota /mnt/ext4.img /mnt/ext4'

test('a snapshot is held to its size, and its limit goes with it, whenever a daemon is killed', {
  timeout: 560_000,
}, async () => {
  await using directory = await tempDirectory()
  const program = await buildNativeTest('project_limits')
  await using bundle = await bundleForEmulation('test/integration/image/quota-scene.ts')
  const scene = (place: string) => `${emulatedNode} ${bundle.path} ${place} ${program}`
  const output = await runInMachine(directory.path, [xfs, ext4, scene('/mnt/xfs'), scene('/mnt/ext4')].join('\n'))
  const [onXfs, onExt4, ...others] = [...output.matchAll(/^facts (.*)$/gm)].map(([, json = '']) => JSON.parse(json))
  expect([onXfs !== undefined, onExt4 !== undefined, others.length], output).toEqual([true, true, 0])
  for (const facts of [onXfs, onExt4]) {
    const { held, killed, unique, outer, copies, failures } = facts
    const limits = [4 * mebibyte, 2 * mebibyte]
    expect(held).toMatchObject({ canLimit: true, limits, kept: limits, left: [], directories: 1 })
    expect(held.widened).toEqual([5 * mebibyte, 2 * mebibyte])
    const [one, alone, free] = held.written
    expect([one > 3 * mebibyte, one <= 4 * mebibyte]).toEqual([true, true])
    expect([alone > mebibyte, alone <= 2 * mebibyte]).toEqual([true, true])
    expect(free).toBe(8 * mebibyte)
    expect(killed).toEqual([
      { step: 'limited', before: [mebibyte], after: [], rows: 0, directories: [] },
      { step: 'row deleted', before: [mebibyte], after: [], rows: 0, directories: [] },
      { step: 'lifted', before: [], after: [], rows: 0, directories: [] },
    ])
    expect(unique).toEqual({ numbers: 12, inodes: Array.from({ length: 12 }, () => 1) })
    expect(outer).toEqual({ during: [mebibyte, 32 * mebibyte], after: [32 * mebibyte] })
    expect([copies.written > mebibyte, copies.written <= 2 * mebibyte, copies.left]).toEqual([true, true, []])
    expect(failures).toEqual([])
  }
})

test('what containers write is held to their size, also after the daemon was killed; removed ones leave no limit', {
  timeout: 560_000,
}, async () => {
  await using directory = await tempDirectory()
  const program = await buildNativeTest('project_limits')
  await using bundle = await bundleForEmulation('src/main.ts')
  const image = join(directory.path, 'image')
  await writeHelloImage(join(repository, 'build/native/berth-hello'), image)
  const output = await runInMachine(
    directory.path,
    `${xfs}
export DOCKER_HOST=unix:///run/berth.sock
mkdir -p build/native/hello-image && mount --bind ${image} build/native/hello-image
cli() { ${dockerCli()} "$@"; }
${startDaemon(bundle.path)}
start() { start_daemon --storage-opt overlay2.size=16m --data-root /mnt/xfs/data --exec-root /run/berth -H $DOCKER_HOST; }
run() { name=$1; shift; cli run -d --name $name --network none -v /usr/bin/busybox:/busybox "$@" /busybox sleep 600 >/dev/null; }
fill() { cli exec $1 /busybox sh -c "/busybox dd if=/dev/zero of=/$2 bs=64k count=\${3:-512} 2>&1 | /busybox head -n 1; /busybox stat -c %s /$2" | sed "s/^/$1: /"; }
limits() { echo "$1: $(${program} /mnt/xfs | cut -d ' ' -f 2 | sort -n | xargs)"; }
start
run own --storage-opt size=8m berth/hello && run default berth/hello
fill own big; fill default big
limits both
cli inspect --format '{{.Name}} {{json .HostConfig.StorageOpt}}' own default
echo words >/run/words && cli cp /run/words own:/words 2>&1 | grep -v Successfully
cli create --storage-opt size=abc berth/hello 2>&1
kill -9 $daemon; wait $daemon 2>/dev/null; start
limits again
fill own more 1
cli restart -t 0 own >/dev/null && fill own more 1 | tr -d "'" && limits restarted
cli stop -t 0 own >/dev/null && cli cp /run/words own:/words 2>&1 | sed 's/^/stopped: /' | grep -v Successfully; cli start own >/dev/null
cli exec own /busybox rm /big && fill own less 32
cli commit own made >/dev/null && run of-image made && fill of-image big
cli ps --size --format '{{.Names}} {{.Size}}' --filter name=own
cli rm -f own of-image >/dev/null && limits removed
cli rm -f default >/dev/null && limits none
kill $daemon; wait $daemon; echo ended $?
`,
  )
  const lines = output.split(/\r?\n/)
  const full = "dd: error writing '/big': No space left on device"
  expect(lines, output).toEqual(
    expect.arrayContaining([
      `own: ${full}`,
      `default: ${full}`,
      'both: 8388608 16777216',
      '/own {"size":"8m"}',
      '/default null',
      "Error response from daemon: invalid size: 'abc'",
      'again: 8388608 16777216',
      'own: dd: cant open /more: No space left on device',
      'restarted: 8388608 16777216',
      'own: 2097152',
      `of-image: ${full}`,
      'removed: 16777216',
      'none: ',
      'ended 0',
    ]),
  )
  expect(output).toMatch(/^stopped: Error response from daemon: no room in container own: .*No space left on device/m)
  expect(output).toMatch(/^Error response from daemon: no room in container own: .*No space left on device/m)
})
