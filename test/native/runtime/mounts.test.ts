/** The mounts of a container with every option that the runtime-spec and mount(8) know, on the real kernel. */
import { execFile } from 'node:child_process'
import { chmod, copyFile, mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises'
import { constants } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { dockerCapabilities } from '#test/support/docker-bundle.ts'
import { BusyboxRoot } from './container.ts'

const { errno } = constants
const execute = promisify(execFile)
const admin = [...dockerCapabilities, 'CAP_SYS_ADMIN']
const adminCapabilities = { bounding: admin, effective: admin, permitted: admin, inheritable: [], ambient: [] }

let root: BusyboxRoot
let host: string

beforeAll(async () => {
  root = await BusyboxRoot.make()
  host = join(root.path, 'host')
  await mkdir(join(host, 'below'), { recursive: true })
  await writeFile(join(host, 'file'), 'content\n')
})

afterAll(async () => {
  await root[Symbol.asyncDispose]()
})

/** Mount and file system options of a mount point, as /proc/self/mountinfo tells them. */
async function optionsOf(
  mount: { type: string; source?: string; options: readonly string[] },
  around?: string,
): Promise<{ mount: string[]; super: string[]; tags: string[] }> {
  const { output, failures } = await root.run({
    run: "grep ' /m ' /proc/self/mountinfo",
    mounts: [{ destination: '/m', source: 'tmpfs', ...mount }],
    ...(around ? { around } : {}),
  })
  expect(failures).toEqual([])
  const [, options = '', tags = '', superOptions = ''] =
    /^\S+ \S+ \S+ \S+ \S+ (\S+) (.*)- \S+ \S+ (\S+)$/m.exec(output) ?? []
  return { mount: options.split(','), super: superOptions.split(','), tags: tags.trim().split(' ') }
}

test.each([
  [['ro'], ['ro', 'relatime']],
  [
    ['ro', 'rw'],
    ['rw', 'relatime'],
  ],
  [
    ['nosuid', 'nodev', 'noexec'],
    ['rw', 'nosuid', 'nodev', 'noexec', 'relatime'],
  ],
  [
    ['nosuid', 'nodev', 'noexec', 'suid', 'dev', 'exec'],
    ['rw', 'relatime'],
  ],
  [['noatime'], ['rw', 'noatime']],
  [
    ['noatime', 'atime'],
    ['rw', 'relatime'],
  ],
  [['strictatime', 'atime', 'norelatime'], ['rw']],
  [
    ['strictatime', 'nostrictatime'],
    ['rw', 'relatime'],
  ],
  [
    ['strictatime', 'relatime'],
    ['rw', 'relatime'],
  ],
  [['nodiratime'], ['rw', 'nodiratime', 'relatime']],
  [
    ['nodiratime', 'diratime'],
    ['rw', 'relatime'],
  ],
  [['nosymfollow'], ['rw', 'relatime', 'nosymfollow']],
  [
    ['nosymfollow', 'symfollow'],
    ['rw', 'relatime'],
  ],
  [
    ['rro', 'rnosuid', 'rnodev', 'rnoexec', 'rnoatime'],
    ['ro', 'nosuid', 'nodev', 'noexec', 'noatime'],
  ],
  [
    ['defaults', 'silent', 'loud', 'noiversion', 'async', 'nomand', 'nolazytime'],
    ['rw', 'relatime'],
  ],
])('a tmpfs with %j is mounted %j', async (options, expected) => {
  const made = await optionsOf({ type: 'tmpfs', options })
  expect(made.mount.sort()).toEqual(expected.sort())
})

test('options of the file system are set there: sync, dirsync, lazytime, mand, iversion, sizes', async () => {
  const made = await optionsOf({
    type: 'tmpfs',
    options: [
      'sync',
      'dirsync',
      'lazytime',
      'iversion',
      'nodev',
      'mode=0750',
      'size=65536k,nr_inodes=7',
      'uid="12",noexec',
    ],
  })
  expect(made.super).toEqual(
    expect.arrayContaining(['sync', 'dirsync', 'lazytime', 'mode=750', 'size=65536k', 'nr_inodes=7', 'uid=12']),
  )
  expect(made.mount).toEqual(expect.arrayContaining(['nodev', 'noexec']))
})

test.each([
  ['private', /^$/],
  ['slave', /^master:\d+$/],
  ['shared', /^shared:\d+$/],
  ['unbindable', /^unbindable$/],
])(
  'a bind that is %s is so alone, but shared with what is below it, and with r before it all are',
  async (word, tags) => {
    const around = `mount -t tmpfs tmpfs '${host}/below' && mount --make-shared '${host}/below' && mount --bind '${host}' '${host}' && mount --make-shared '${host}' && mount -t tmpfs tmpfs '${host}/below' && "$@"`
    const show = async (option: string) => {
      const { output, failures } = await root.run({
        around,
        run: 'grep -E " /m(/below)? " /proc/self/mountinfo',
        mounts: [{ destination: '/m', type: 'bind', source: host, options: ['rbind', option] }],
      })
      expect(failures).toEqual([])
      return output
        .trim()
        .split('\n')
        .map((line) => /^\S+ \S+ \S+ \S+ \S+ \S+ (.*)- /.exec(line)?.[1]?.trim() ?? 'none')
    }
    const [top = 'none', below = 'none'] = await show(word)
    expect(top).toMatch(tags)
    expect(below).toMatch(word === 'shared' ? tags : /^master:\d+$/)
    const all = await show(`r${word}`)
    expect(all).toEqual([expect.stringMatching(tags), expect.stringMatching(tags)])
  },
)

test('recursive words change all that is below a bind, plain ones only itself, and each can be taken back', async () => {
  const around = `mount -t tmpfs -o nosuid,nodev,noexec,noatime tmpfs '${host}/below' && "$@"`
  const { output, failures } = await root.run({
    around,
    run: 'grep -E " /m[0-9](/below)? " /proc/self/mountinfo | cut -d" " -f5,6 | sort',
    mounts: [
      ['rrw', 'rsuid', 'rdev', 'rexec', 'rrelatime'],
      ['rro', 'rnosuid', 'rnosymfollow', 'rnodiratime', 'rstrictatime'],
      ['nosuid', 'nodev', 'noexec', 'ratime'],
      ['rnosymfollow', 'rsymfollow', 'rnodiratime', 'rdiratime', 'rnoatime', 'rnorelatime', 'rnostrictatime'],
    ].map((options, index) => ({
      destination: `/m${index}`,
      type: 'bind',
      source: host,
      options: ['rbind', ...options],
    })),
  })
  expect(failures).toEqual([])
  const lines = output.trim().split('\n')
  expect(lines.map((line) => line.replace(/relatime/, 'relatime'))).toEqual([
    expect.stringMatching(/^\/m0 rw,relatime$/),
    '/m0/below rw,relatime',
    '/m1 ro,nosuid,nodiratime,nosymfollow',
    '/m1/below ro,nosuid,nodev,noexec,nodiratime,nosymfollow',
    '/m2 rw,nosuid,nodev,noexec,relatime',
    '/m2/below rw,nosuid,nodev,noexec,relatime',
    '/m3 rw,noatime',
    '/m3/below rw,nosuid,nodev,noexec,noatime',
  ])
})

test('remount changes the attributes of a mount that the plan made, with bind, or its file system too', async () => {
  const { output, failures } = await root.run({
    run: 'grep -E " /(shown|own) " /proc/self/mountinfo; touch /shown/x; touch /own/x',
    mounts: [
      { destination: '/shown', type: 'bind', source: host, options: ['rbind'] },
      { destination: '/shown', type: 'none', source: '', options: ['remount', 'bind', 'ro', 'noexec'] },
      { destination: '/own', type: 'tmpfs', source: 'tmpfs', options: ['size=64k'] },
      { destination: '/own', options: ['remount', 'size=128k', 'ro', 'nosuid'] },
    ],
  })
  expect(failures).toEqual([])
  expect(output).toMatch(/ \/shown ro,noexec,/)
  expect(output).toMatch(/ \/own ro,nosuid,relatime .* ro,size=128k/)
  expect(output.match(/\S+(?=: Read-only file system)/g)).toEqual(['/shown/x', '/own/x'])
})

test('remount of a place where nothing is mounted, or behind a link, is refused', async () => {
  await symlink('/sys', join(root.rootfs, 'to-sys'))
  const remount = async (destination: string) =>
    (await root.run({ mounts: [{ destination, options: ['remount', 'ro'] }] })).failures
  expect(await remount('/etc')).toMatchObject([{ step: 'create', errno: errno.EINVAL }])
  expect(await remount('/to-sys')).toEqual([
    { step: 'create', errno: errno.ELOOP, text: "open '/to-sys' to mount it again" },
  ])
})

test('tmpcopyup begins with a copy: files, links, owners, modes, times, attributes, empty mount points', async () => {
  const source = join(root.rootfs, 'copied')
  await mkdir(join(source, 'sub/deep'), { recursive: true })
  await writeFile(join(source, 'sub/file'), 'x'.repeat(3 << 20), { mode: 0o640 })
  await symlink('/etc/passwd', join(source, 'sub/link'))
  await symlink(host, join(source, 'escape'))
  await execute('sh', [
    '-c',
    `cd '${source}' && mkfifo -m 604 pipe && mknod -m 600 zero c 1 5 && chown 7:8 sub/file && chmod 4755 sub/deep &&
     chown 5:6 . && chmod 1750 . && touch -d @1000 sub/file`,
  ])
  const { output, failures } = await root.run({
    run: [
      'cd /copied && stat -c "%n %F %a %u:%g %s %Y" sub/file sub/deep pipe .',
      'stat -c "%t:%T" zero; readlink sub/link; readlink escape; ls sub/mounted; echo new > sub/new && ls sub',
      'cat /proc/mounts | grep -c " /copied tmpfs"',
    ].join('; '),
    mounts: [
      { destination: '/copied/sub/mounted', type: 'bind', source: host, options: ['bind'] },
      { destination: '/copied', type: 'tmpfs', source: 'tmpfs', options: ['tmpcopyup'] },
    ],
  })
  expect(failures).toEqual([])
  expect(output.trim().split('\n')).toEqual([
    'sub/file regular file 640 7:8 3145728 1000',
    expect.stringMatching(/^sub\/deep directory 4755 0:0/),
    expect.stringMatching(/^pipe fifo 604 0:0/),
    expect.stringMatching(/^\. directory 1750 5:6/),
    '1:5',
    '/etc/passwd',
    host,
    'deep',
    'file',
    'link',
    'mounted',
    'new',
    '1',
  ])
  expect(await readdir(join(source, 'sub'))).not.toContain('new')
})

test('tmpcopyup keeps extended attributes: a program has its file capabilities in the copy too', async () => {
  const program = join(root.rootfs, 'capable/grep')
  await mkdir(join(root.rootfs, 'capable'))
  await copyFile(join(root.rootfs, 'bin/busybox'), program)
  await chmod(program, 0o755)
  // capabilities(7): revision 2, effective; CAP_SETUID is 7.
  await execute('python3', [
    '-c',
    `import os, struct; os.setxattr('${program}', 'security.capability', struct.pack('<5I', 0x02000001, 1 << 7, 0, 0, 0))`,
  ])
  const { output, failures } = await root.run({
    run: ['/capable/grep', 'CapEff', '/proc/self/status'],
    process: { user: { uid: 1000, gid: 1000 } },
    mounts: [{ destination: '/capable', type: 'tmpfs', source: 'tmpfs', options: ['tmpcopyup'] }],
  })
  expect(failures).toEqual([])
  expect(output).toBe('CapEff:\t0000000000000080\n')
})

test('tmpcopyup of more than the tmpfs holds, or of too many directories in each other, fails and names the place', async () => {
  await mkdir(join(root.rootfs, 'big'))
  await writeFile(join(root.rootfs, 'big/file'), Buffer.alloc(1 << 20, 1))
  await mkdir(join(root.rootfs, 'nested', 'd/'.repeat(70)), { recursive: true })
  const copy = async (destination: string, options: string[]) =>
    (await root.run({ mounts: [{ destination, type: 'tmpfs', options: ['tmpcopyup', ...options] }] })).failures
  expect(await copy('/big', ['size=64k'])).toEqual([
    { step: 'create', errno: errno.ENOSPC, text: "copy 'file' for the tmpfs on '/big'" },
  ])
  expect(await copy('/nested', [])).toEqual([
    {
      step: 'create',
      errno: errno.ELOOP,
      text: "the tmpfs on '/nested' would begin with directories more than 64 deep",
    },
  ])
})

test('a tmpfs has the mode of the directory that it covers, 1777 where there was none, or the one asked for', async () => {
  await mkdir(join(root.rootfs, 'covered'), { mode: 0o711 })
  const { output } = await root.run({
    run: 'stat -c %a /covered /covered2 /fresh',
    mounts: [
      { destination: '/covered', type: 'tmpfs', source: 'tmpfs' },
      { destination: '/covered2', type: 'tmpfs', source: 'tmpfs', options: ['mode=0700'] },
      { destination: '/fresh', type: 'tmpfs', source: 'tmpfs' },
    ],
  })
  expect(output).toBe('711\n700\n1777\n')
})

test('paths that are not absolute are those of the root and of the bundle', async () => {
  const { output, failures } = await root.run({
    run: 'cat /relative/file',
    mounts: [{ destination: 'relative', type: 'bind', source: 'host', options: ['bind'] }],
    keeper: { bundle: root.path },
  })
  expect(failures).toEqual([])
  expect(output).toBe('content\n')
})

test('an overlay may be mounted whose list of layers is longer than one value of fsconfig(2)', async () => {
  const layers = Array.from({ length: 12 }, (_, index) => join(root.path, `layer-with-a-long-name-${index}`))
  for (const [index, layer] of layers.entries()) {
    await mkdir(layer)
    await writeFile(join(layer, `from-${index}`), '')
  }
  const { output, failures } = await root.run({
    run: 'ls /m | grep -c from-; touch /m/x',
    mounts: [{ destination: '/m', type: 'overlay', source: 'overlay', options: [`lowerdir=${layers.join(':')}`] }],
  })
  expect(failures).toEqual([])
  expect(output).toBe('12\ntouch: /m/x: Read-only file system\n')
})

test.each([
  [{ type: 'bind', source: '/tmp', options: ['size=1m'] }, "option 'size=1m' is for a new file system"],
  [{ type: 'bind', source: '/tmp', options: ['rbind', 'sync'] }, "option 'sync' is for a new file system"],
  [{ type: 'bind', source: '', options: ['rbind'] }, 'a bind without a source'],
  [{ type: 'proc', source: 'proc', options: ['tmpcopyup'] }, "option 'tmpcopyup' is for a tmpfs"],
  [{ type: 'tmpfs', source: 'tmpfs', options: ['idmap'] }, 'only binds can be id-mapped'],
  [{ type: 'tmpfs', source: 'tmpfs', options: ['context="a,b'] }, 'a quote is not closed'],
  [{ type: 'tmpfs', source: 'tmpfs', options: ['=x'] }, 'an option without a name'],
  [{ options: ['ro'] }, 'has neither a type nor the option bind'],
])('%j is refused with its place', async (mount, text) => {
  const { failures } = await root.run({ onlyMounts: [{ destination: '/m', ...mount }] })
  expect(failures).toMatchObject([{ step: 'plan', errno: errno.EINVAL, text: expect.stringContaining(text) }])
  expect(failures[0]?.text).toMatch(/^mounts\[0\]/)
})

test.each([['banana'], ['size=1m,banana=1']])(
  'what tmpfs does not know (%s) is refused in the kernel’s words',
  async (option) => {
    const { failures } = await root.run({ mounts: [{ destination: '/m', type: 'tmpfs', options: [option] }] })
    expect(failures).toMatchObject([{ step: 'create', errno: errno.EINVAL }])
    expect(failures[0]?.text).toMatch(
      /^option 'banana(=1)?' of a tmpfs file system: tmpfs: Unknown parameter 'banana'$/,
    )
  },
)

test('a root that is shared with what is made inside is still pivoted to', async () => {
  const show = async (rootfsPropagation: string) => {
    const { output, failures } = await root.run({
      run: 'grep " / / " /proc/self/mountinfo; cut -d" " -f5 /proc/self/mountinfo | grep -vE "^/(proc|sys|dev)?(/|$)"; true',
      process: { capabilities: adminCapabilities },
      linux: { rootfsPropagation },
      keeper: { rootfs: await overlay(rootfsPropagation) },
    })
    expect(failures).toEqual([])
    expect(output.trim().split('\n')).toHaveLength(1)
    return /^\S+ \S+ \S+ \S+ \S+ \S+ (.*)- /.exec(output)?.[1]?.trim()
  }
  expect(await show('shared')).toMatch(/^shared:\d+$/)
  expect(await show('rshared')).toMatch(/^shared:\d+$/)
  expect(await show('rslave')).toBe('')
  expect(await show('private')).toBe('')
  expect(await show('unbindable')).toBe('unbindable')
})

async function overlay(name: string): Promise<object> {
  const path = join(root.path, `mount-${name}`)
  for (const part of ['', '/upper', '/work', '/root']) await mkdir(path + part)
  return { kind: 'overlay', path: `${path}/root`, lower: [root.rootfs], upper: `${path}/upper`, work: `${path}/work` }
}

test('what a test leaves on the host is nothing', async () => {
  expect(await readFile('/proc/self/mountinfo', 'utf8')).not.toContain(root.path)
})
