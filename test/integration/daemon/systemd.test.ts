import { execFile } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { dockerCli } from '#test/support/dockerd.ts'
import { bundleForEmulation, startDaemon } from '#test/support/emulated-node.ts'
import { tempDirectory } from '#test/support/temp.ts'
import { writeHelloImage } from '../../../src/packaging/hello-image.ts'

const repository = join(import.meta.dirname, '../../..')
const support = join(repository, 'test/support')

test('where systemd is process 1 of a host with cgroup v2, containers are its scopes', {
  timeout: 300_000,
}, async () => {
  await using directory = await tempDirectory()
  const at = (name: string) => join(directory.path, name)
  await writeHelloImage(join(repository, 'build/native/berth-hello'), at('image'))
  await using bundle = await bundleForEmulation('src/main.ts')
  const script = `
export SYSTEMD_PAGER= SYSTEMD_IGNORE_CHROOT=1 SYSTEMD_COLORS=0 DOCKER_HOST=unix:///run/berth.sock
cd ${repository}
mkdir -p build/native/hello-image && mount --bind ${at('image')} build/native/hello-image
mount -t tmpfs tmpfs /mnt
cli() { ${dockerCli()} "$@"; }
${startDaemon(bundle.path)}
start_daemon --data-root /mnt/data --exec-root /run/berth -H $DOCKER_HOST
cli info --format '{{.CgroupDriver}} {{.CgroupVersion}}'
run() { cli run -d --network none -v /usr/bin/busybox:/busybox "$@" berth/hello /busybox sleep 600; }
id=$(run --memory 64m --pids-limit 50)
systemctl --no-pager show -p ControlGroup,MemoryMax,TasksMax,ActiveState "berth-$id.scope"
cli exec "$id" /busybox cat /proc/self/cgroup
cli rm -f "$id" >/dev/null && echo removed
other=$(run --cgroup-parent machine-test.slice)
systemctl --no-pager show -p ControlGroup "berth-$other.scope"
cli rm -f "$other" >/dev/null
run --cgroup-parent /elsewhere 2>&1
find /sys/fs/cgroup -name 'berth-*.scope'
kill $daemon; wait $daemon; echo ended $?
grep level=error /run/log
`
  await writeFile(at('script'), script)
  const { promise, resolve } = Promise.withResolvers<string>()
  const command = ['--timeout', '240', join(support, 'with-systemd'), 'bash', at('script')]
  execFile(join(support, 'cgroup2-vm'), command, { timeout: 280_000 }, (_, stdout, stderr) => resolve(stdout + stderr))
  const output = await promise
  const lines = output.split(/\r?\n/)
  for (const line of [
    'systemd 2',
    expect.stringMatching(/^ControlGroup=\/system\.slice\/berth-[0-9a-f]{64}\.scope$/),
    'MemoryMax=67108864',
    'TasksMax=50',
    'ActiveState=active',
    '0::/',
    'removed',
    expect.stringMatching(/^ControlGroup=\/machine\.slice\/machine-test\.slice\/berth-[0-9a-f]{64}\.scope$/),
    expect.stringContaining('cgroup-parent for systemd cgroup should be a valid slice named as "xxx.slice"'),
    'ended 0',
  ]) {
    expect(lines, output).toContainEqual(line)
  }
  expect(output).not.toMatch(/^\/sys\/fs\/cgroup.*\.scope$|level=error/m)
})
