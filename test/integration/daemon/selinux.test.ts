/** A daemon with `--selinux-enabled` on a kernel that has SELinux and enforces a small policy. */
import { execFile } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { dockerCli } from '#test/support/dockerd.ts'
import { bundleForEmulation, startDaemon } from '#test/support/emulated-node.ts'
import { tempDirectory } from '#test/support/temp.ts'
import { writeHelloImage } from '../../../src/packaging/hello-image.ts'

const repository = join(import.meta.dirname, '../../..')
const machine = join(repository, 'test/support/cgroup2-vm')

const content = 'u:object_r:content'

test('containers, execs and their files have labels of their own, which their records keep', {
  timeout: 560_000,
}, async () => {
  await using directory = await tempDirectory()
  const at = (name: string) => join(directory.path, name)
  await writeHelloImage(join(repository, 'build/native/berth-hello'), at('image'))
  await using bundle = await bundleForEmulation('src/main.ts')
  const script = `
export DOCKER_HOST=unix:///run/berth.sock
cd ${repository}
mount -t selinuxfs selinuxfs /sys/fs/selinux && cp test/native/selinux-policy.bin /run/policy || exit 1
dd if=/run/policy of=/sys/fs/selinux/load bs=64k 2>/dev/null && echo 1 >/sys/fs/selinux/enforce || exit 1
mkdir -p /etc/selinux/small/contexts
echo SELINUXTYPE=small >/etc/selinux/config
printf 'process = "u:r:container:s0"\\nfile = "${content}:s0"\\n' >/etc/selinux/small/contexts/lxc_contexts
mkdir -p build/native/hello-image && mount --bind ${at('image')} build/native/hello-image
mount -t tmpfs tmpfs /mnt && mkdir -p /mnt/shared /mnt/own/deep /mnt/plain /mnt/elsewhere && touch /mnt/elsewhere/file
for place in shared own plain; do echo words of $place >/mnt/$place/words; done
ln -s /mnt/elsewhere/file /mnt/own/link
cli() { ${dockerCli()} "$@"; }
${startDaemon(bundle.path)}
start() { start_daemon --selinux-enabled --data-root /mnt/data --exec-root /run/berth -H $DOCKER_HOST; }
inspect() { cli inspect --format "$1 {{.ProcessLabel}} {{.MountLabel}} {{.HostConfig.SecurityOpt}}" "$1"; }
create() { name=$1; shift; cli create --name "$name" --network none -v /usr/bin/busybox:/busybox "$@" berth/hello /busybox sleep 600 >/dev/null; }
start
cli info --format '{{.SecurityOptions}}'
create one -v /mnt/shared:/shared:z -v /mnt/own:/own:ro,Z -v /mnt/plain:/plain && cli start one
inspect one
cli exec one /busybox cat /proc/1/attr/current | tr '\\000' '\\n'
cli exec --privileged one /busybox cat /proc/self/attr/current | tr '\\000' '\\n'
pid=$(cli inspect --format {{.State.Pid}} one)
(cd /proc/$pid/root && ls -Zd ./ ./dev ./dev/shm ./dev/pts ./etc/hosts ./etc/hostname ./etc/resolv.conf ./shared ./own/deep ./plain | sed 's/^ *//')
(cd /mnt && ls -Z own/link elsewhere/file | sed 's/^ *//')
create two --security-opt label=type:t --security-opt label:level:s0:c5,c6 --security-opt label=filetype:t && inspect two
create free --privileged && cli start free && inspect free
tr -d '\\000' </proc/$(cli inspect --format {{.State.Pid}} free)/attr/current; echo
create three --security-opt label=bogus 2>&1 | tr '\\n' ' '; echo
create four --security-opt label=what:x 2>&1
create five -v /usr/../usr:/d:Z && cli start five 2>&1
cli rm -f free two >/dev/null
kill $daemon; wait $daemon; echo ended $?; start
echo again; inspect one
cli exec one /busybox cat /proc/self/attr/current | tr '\\000' '\\n'
create six -v /mnt/own:/own -v /mnt/shared:/shared -v /mnt/plain:/plain && cli start six && inspect six
for name in one six; do cli exec $name /busybox sh -c '/busybox tail -n 1 /own/words /shared/words /plain/words 2>&1' | sed "s/^/$name: /"; done
kill $daemon; wait $daemon; echo ended $?
`
  await writeFile(at('script'), script)
  const { promise, resolve } = Promise.withResolvers<string>()
  const options = ['--timeout', '500', '--append', 'selinux=1 security=selinux', 'bash', at('script')]
  execFile(machine, options, { timeout: 540_000 }, (_, stdout, stderr) => resolve(stdout + stderr))
  const output = await promise

  expect(output, output).toContain('name=selinux')
  const level = /^one u:r:container:(s0:c\d+,c\d+) /m.exec(output)?.[1] ?? output
  const own = `${content}:${level}`
  const lines = output.split(/\r?\n/)
  const occurrences = (line: string) => lines.filter((one) => one === line).length
  expect(occurrences(`one u:r:container:${level} ${own} []`), output).toBe(2)
  expect(occurrences(`u:r:container:${level}`), output).toBe(3)
  for (const place of ['./', './dev', './dev/shm', './dev/pts', './etc/hosts', './etc/hostname', './etc/resolv.conf'])
    expect(lines, output).toContain(`${own} ${place}`)
  expect(lines).toEqual(
    expect.arrayContaining([
      `${content}:s0 ./shared`,
      `${own} ./own/deep`,
      'u:object_r:t:s0 ./plain',
      `${own} own/link`,
      'u:object_r:t:s0 elsewhere/file',
      'two u:r:t:s0:c5,c6 u:object_r:t:s0:c5,c6 [label=type:t label:level:s0:c5,c6 label=filetype:t]',
      `free  ${content}:s0:c1022,c1023 [label=disable]`,
      'u:r:t:s0',
      expect.stringContaining(
        `bad label option "bogus", valid options 'disable' or  'user, role, level, type, filetype' followed by ':' and a value`,
      ),
      expect.stringContaining(`bad label option "what", valid options 'disable, user, role, level, type, filetype'`),
      expect.stringContaining("error setting label on mount source '/usr': SELinux relabeling of /usr is not allowed"),
    ]),
  )
  expect(occurrences('ended 0'), output).toBe(2)
  const other = /^six u:r:container:(s0:c\d+,c\d+) /m.exec(output)?.[1]
  expect(other).toMatch(/^s0:/)
  expect(other).not.toBe(level)
  const seenBy = (name: string) => lines.filter((line) => line.startsWith(`${name}: `) && !/==>|: $/.test(line))
  expect(seenBy('one')).toEqual(['one: words of own', 'one: words of shared', 'one: words of plain'])
  expect(seenBy('six')).toEqual([
    "six: tail: can't open '/own/words': Permission denied",
    'six: words of shared',
    'six: words of plain',
  ])
})
