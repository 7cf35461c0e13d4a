import { execFileSync } from 'node:child_process'
import { copyFileSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { debianTree } from '../support/debian-tree.ts'
import { tempDirectory } from '../support/temp.ts'

const binary = join(import.meta.dirname, '../../dist/berth')

/** Runs a script as root of a machine that has Debian's smallest system and, in /opt, the binary alone. Its mounts and links end with it. */
async function onBareMachine(script: string): Promise<string> {
  await using directory = await tempDirectory('berth-e2e-')
  const [opt, data] = [join(directory.path, 'opt'), join(directory.path, 'data')]
  mkdirSync(opt)
  mkdirSync(data)
  copyFileSync(binary, join(opt, 'berth'))
  const tree = debianTree()
  const prepare = [
    'set -e',
    'mount --make-rprivate /',
    `mount --bind ${tree} ${tree}`,
    `mount -t proc proc ${tree}/proc`,
    `mount --rbind /sys ${tree}/sys`,
    `mount --rbind /dev ${tree}/dev`,
    `mount -t tmpfs tmpfs ${tree}/run`,
    `mount -t tmpfs tmpfs ${tree}/tmp`,
    `mount --bind ${opt} ${tree}/opt`,
    `mkdir -p ${tree}/srv/data`,
    `mount --bind ${data} ${tree}/srv/data`,
    `exec chroot ${tree} /bin/sh -ec "$1"`,
  ].join('\n')
  return execFileSync('unshare', ['--mount', '--net', 'sh', '-c', prepare, 'sh', script], {
    encoding: 'utf8',
    env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', HOME: '/root' },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
}

test('the binary says its version on a machine without Node', async () => {
  const text = await onBareMachine('! command -v node; cd /opt; ./berth --version')
  expect(text).toMatch(/^Berth version \d+\.\d+\.\d+, build [0-9a-f]+\n$/)
})

test('flags that Node knows too are left to the command', async () => {
  const text = await onBareMachine('/opt/berth run --env-file /nosuch image 2>&1 || true')
  expect(text).toBe("berth: open /nosuch: no such file or directory\n\nRun 'berth run --help' for more information\n")
})

test('berth daemon --help lists the flags of the daemon', async () => {
  const text = await onBareMachine('/opt/berth daemon --help')
  for (const flag of [
    '--data-root',
    '--exec-root',
    '--host',
    '--pidfile',
    '--config-file',
    '--log-level',
    '--insecure-registry',
    '--registry-mirror',
    '--bip',
    '--mtu',
  ]) {
    expect(text).toContain(flag)
  }
})

test('the binary alone is enough to run a container', async () => {
  const text = await onBareMachine(`
    export BERTH_HOST=unix:///run/berth.sock
    /opt/berth daemon --data-root /srv/data --exec-root /run/berth --host $BERTH_HOST --pidfile /run/berth.pid 2>/tmp/log &
    tries=0
    until /opt/berth version >/dev/null 2>&1; do
      tries=$((tries + 1)); if [ $tries -gt 300 ]; then cat /tmp/log; exit 1; fi; sleep 0.1
    done
    /opt/berth run --rm --network none --hostname first berth/hello || { cat /tmp/log; exit 1; }
    kill $(cat /run/berth.pid)
    wait
    ls /opt`)
  expect(text).toContain('Hello from Berth!')
  expect(text).toMatch(/hostname\s+first/)
  expect(text).toMatch(/process\s+1, as user 0/)
  expect(text).toMatch(/rights\s+14 capabilities, system call filter on/)
  expect(text.trimEnd().split('\n').at(-1)).toBe('berth')
})
