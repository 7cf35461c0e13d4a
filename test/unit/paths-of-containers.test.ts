/**
 * What a container's root is reached by: runtime/lib/path.c and nothing else (CVE lessons 1 to 5, 8 to 11 are all such mistakes). Calls whose
 * path is written down ("/proc/self/…", "", ".") are free; every other one in the library stands here with its reason.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'

const lib = join(import.meta.dirname, '../../runtime/lib')

/** Position of the path among the arguments. */
const calls = {
  ...{
    open: 0,
    fopen: 0,
    opendir: 0,
    mkdir: 0,
    mknod: 0,
    rmdir: 0,
    unlink: 0,
    chmod: 0,
    chown: 0,
    mount: 0,
    chdir: 0,
    chroot: 0,
  },
  ...{ openat: 1, mkdirat: 1, mknodat: 1, unlinkat: 1, fchownat: 1, fchmodat: 1, sys_open_tree: 1, sys_openat2: 1 },
} as const

const host = 'a path of the host’s'
const name =
  'the last part of a path, below a descriptor that path.c opened, or of our own detached tmpfs; links are not followed'
const inside = 'in the child, inside the root, where a path can lead nowhere else'
const confined = 'below a descriptor of our own procfs or devpts; neither links nor other mounts are passed'
const ours = 'host and kernel files by path are this part’s work; it never meets a container’s root'

/** Whole parts: the beginnings of file names. */
const parts: Readonly<Record<string, string>> = {
  abi: ours,
  cgroup: ours,
  netlink: ours,
  netns: ours,
  device: ours,
  'process-identity': ours,
}

const allowed: Readonly<Record<string, string>> = {
  'path.c sys_openat2': 'this is it',
  'path.c mkdirat': name,
  'path.c openat': name,
  'console.c sys_openat2': confined,
  'sysctl.c sys_openat2': confined,
  'container-network.c open': host,
  'container-stage.c open': host,
  'lsm.c sys_openat2': confined,
  'rlimit.c open': 'a process’s own file in the host’s /proc',
  'userns.c open': 'a process’s own file in the host’s /proc',
  'container.c open': 'init’s root through its /proc, from outside',
  'devnode.c openat': name,
  'devnode.c mknodat': name,
  'devnode.c fchownat': name,
  'devnode.c fchmodat': name,
  'devnode.c unlinkat': name,
  'devnode.c sys_open_tree': name,
  'devnode.c chmod': 'a descriptor’s path in /proc/self/fd',
  'mask.c openat': 'a device that we made ourselves, in a detached tmpfs',
  'mount-source.c open':
    'the source of a bind with a subpath, or a mount namespace, paths of the host’s; what is inside goes by openat2 below',
  'mount-source.c sys_open_tree': 'the source of a bind, a path of the host’s, or what path.c opened',
  'mount-copy-up.c open': 'a descriptor’s path in /proc/self/fd',
  'mount-copy-up.c openat': name,
  'mount-copy-up.c mkdirat': name,
  'mount-copy-up.c mknodat': name,
  'mount-copy-up.c fchownat': name,
  'mount-copy-up.c fchmodat': name,
  'mount-copy-up.c sys_openat2': 'one name below a held directory; links and other mounts are not passed',
  'namespace.c open': host,
  'overlay.c open': host,
  'overlay.c chdir': host,
  'overlay.c sys_open_tree': host,
  'overlay-mapped.c sys_open_tree': host,
  'rootfs.c sys_open_tree': host,
  'process-child.c chdir': `the working directory, ${inside}; asked for again afterwards`,
}

function pathsOf(file: string): string[] {
  const code = readFileSync(join(lib, file), 'utf8').replace(/\/\*[\s\S]*?\*\//g, '')
  return Object.entries(calls).flatMap(([call, position]) =>
    [...code.matchAll(new RegExp(`(?<![\\w>.])${call}\\(([^;]*)`, 'g'))]
      .filter(([, rest = '']) => !/^"/.test((rest.split(',')[position] ?? '').trim()))
      .map(() => `${file} ${call}`),
  )
}

const files = readdirSync(lib).filter((file) => file.endsWith('.c'))

test('below a container’s root nothing is opened, made or mounted but through path.c', () => {
  const found = files
    .filter((file) => !Object.keys(parts).some((part) => file.startsWith(part)))
    .flatMap(pathsOf)
    .filter((place) => !Object.hasOwn(allowed, place))
  expect([...new Set(found)]).toEqual([])
})

test('the rule finds what it is to find', () => {
  expect(pathsOf('path.c')).toContain('path.c sys_openat2')
  expect(pathsOf('process-child.c')).toContain('process-child.c chdir')
})
