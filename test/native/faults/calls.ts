import { constants } from 'node:os'
import type { Call } from './injector.ts'

const { errno } = constants

/** What each call is made to fail with; the others with EIO. */
const errnos: Readonly<Record<string, number>> = {
  accept4: errno.EMFILE,
  brk: errno.ENOMEM,
  clone: errno.EAGAIN,
  clone3: errno.EAGAIN,
  dup3: errno.EMFILE,
  epoll_create1: errno.EMFILE,
  epoll_ctl: errno.ENOMEM,
  fcntl: errno.EMFILE,
  fsmount: errno.ENOMEM,
  fsopen: errno.EMFILE,
  memfd_create: errno.EMFILE,
  mkdir: errno.ENOSPC,
  mkdirat: errno.ENOSPC,
  mmap: errno.ENOMEM,
  mprotect: errno.ENOMEM,
  open: errno.EMFILE,
  openat: errno.EMFILE,
  openat2: errno.EMFILE,
  open_tree: errno.EMFILE,
  pipe2: errno.EMFILE,
  prctl: errno.EPERM,
  signalfd4: errno.EMFILE,
  socket: errno.EMFILE,
  socketpair: errno.EMFILE,
  write: errno.ENOSPC,
  writev: errno.ENOSPC,
}

export const errnoOf = ({ name }: Call): number => errnos[name] ?? errno.EIO

interface Excuse {
  readonly name: string
  readonly verb?: string
  readonly process?: string
  readonly what?: RegExp
  readonly reason: string
}

/** Calls that the kernel never lets fail, or that do their work whatever they answer: they are not made to. */
const neverFail: readonly Excuse[] = [
  { name: 'arch_prctl', reason: 'the thread pointer of libc; nothing of ours runs yet' },
  { name: 'close', reason: 'the descriptor is gone whatever it answers' },
  { name: 'exit', reason: 'does not return' },
  { name: 'exit_group', reason: 'does not return' },
  { name: 'getegid', reason: 'always succeeds' },
  { name: 'geteuid', reason: 'always succeeds' },
  { name: 'getgid', reason: 'always succeeds' },
  { name: 'getpid', reason: 'always succeeds' },
  { name: 'gettid', reason: 'always succeeds' },
  { name: 'getuid', reason: 'always succeeds' },
  { name: 'restart_syscall', reason: 'the kernel’s own' },
  { name: 'rt_sigreturn', reason: 'does not return' },
  { name: 'rt_sigprocmask', reason: 'fails for bad arguments only' },
  { name: 'set_tid_address', reason: 'always succeeds' },
  { name: 'umask', reason: 'always succeeds' },
  { name: 'wait4', reason: 'asked without waiting, it fails for lack of children only' },
]

/** In user and time namespaces: what is behind the making of the process. */
function amongUsers(verb: string): Excuse[] {
  const output = 'output is given to the user of the process for convenience; not every file can be given'
  const ended = 'the stage, or the process that held a user namespace, has ended by itself and goes with its parent'
  return [
    { name: 'fchown', what: /^(pipe|socket)/, verb, reason: output },
    { name: 'fstat', what: /^(pipe|socket|\/dev\/null)/, verb, reason: output },
    { name: 'pidfd_send_signal', verb, reason: ended },
    { name: 'waitid', verb, reason: ended },
  ]
}

/** What a child does in vain, or says too late, its parent does itself. */
const deletionOfLink = [
  ...[
    'bind',
    'close_range',
    'open',
    'pipe2',
    'fork',
    'poll',
    'recvfrom',
    'sendto',
    'setns',
    'setsockopt',
    'socket',
    'write',
  ],
].map((name): Excuse => ({ name, verb: 'shim unlink', reason: 'the link is deleted without waiting for less' }))

/** Calls whose failure is no failure of the verb. */
const tolerated: readonly Excuse[] = [
  { name: 'accept4', reason: 'the waiting init: it ends, and start says that the container has ended' },
  { name: 'brk', reason: 'the allocator asks mmap instead' },
  {
    name: 'clone3',
    reason: 'asked again without the unified group, which not every group allows; the process joins by itself',
  },
  { name: 'epoll_ctl', what: /^\d+, 2, /, reason: 'EPOLL_CTL_DEL: the descriptor is closed next' },
  { name: 'fcntl', what: /, 2$/, reason: 'the C library sets close-on-exec again that open has set already' },
  { name: 'fcntl', what: /, 1034$/, reason: 'a program that may be unsealed is sealed again' },
  { name: 'fstatfs', reason: 'a program that may be unsealed is sealed again' },
  ...['create', 'shim create', 'shim exec'].flatMap(amongUsers),
  { name: 'madvise', reason: 'memory of a process that ends soon is given back then' },
  { name: 'mmap', what: /^-?[1-9]\d*, 4096, /, reason: 'the allocator’s guard page' },
  {
    name: 'mmap',
    what: /^0, 4096, 3$/,
    reason:
      'a line that is to be read is tried again with less memory; checks of the JSON library that we do not ask for',
  },
  { name: 'munmap', reason: 'memory of a process that ends soon is given back then' },
  { name: 'open', what: /^\/dev\/urandom/, reason: 'the seed of the JSON library’s tables has other sources' },
  {
    name: 'openat',
    what: /^cgroup\.controllers/,
    reason: 'whether a controller is there shows when its limit is written',
  },
  {
    name: 'read',
    what: /^\/sys\/fs\/cgroup\/unified/,
    reason: 'whether a controller is there shows when its limit is written',
  },
  {
    name: 'open',
    what: /^\/sys\/fs\/cgroup\/unified\//,
    reason: 'whether a controller is there shows when its limit is written',
  },
  { name: 'seccomp', what: /^[0-3], /, reason: 'questions of libseccomp about what the kernel can do' },
  {
    name: 'openat2',
    what: /^(proc|sys|\.)$/,
    reason: 'a directory that cannot be opened is made, which opens it again and fails for good',
  },
  { name: 'read', what: /^\/dev\/urandom/, reason: 'the seed of the JSON library’s tables has other sources' },
  { name: 'read', what: /^pipe/, reason: 'an output that cannot be read has ended' },
  { name: 'read', what: /^anon_inode/, reason: 'signals are looked at again when the next one comes' },
  {
    name: 'setsockopt',
    what: /, 270$/,
    reason: 'SOL_NETLINK: strict checks and longer words of the kernel, where it has them',
  },
  { name: 'stat', what: /bin\//, reason: 'the search in PATH goes on' },
  {
    name: 'unlinkat',
    what: /^(shim\.sock|shim\.json|exit\.json)$/,
    reason: 'of an earlier shim in this directory; what stands there still is replaced, or bind says so',
  },
  { name: 'faccessat2', what: /^start\.sock/, reason: 'it is taken for running, to which less may be done' },
  { name: 'faccessat2', what: /^state\.json/, reason: 'reading it says more' },
  { name: 'flock', reason: 'LOCK_UN, or a lock for those who look at the same moment' },
  {
    name: 'fstat',
    what: /states/,
    verb: 'delete',
    reason: 'what stands there is removed without asking again whether it is ours',
  },
  {
    name: 'fstat',
    what: /states/,
    verb: 'delete --force',
    reason: 'a state that cannot be read is removed by what config.json says',
  },
  { name: 'mmap', verb: 'delete --force', reason: 'a state that cannot be read is removed by what config.json says' },
  {
    name: 'openat',
    what: /^state\.json/,
    verb: 'delete --force',
    reason: 'a state that cannot be read is removed by what config.json says',
  },
  {
    name: 'read',
    what: /state\.json/,
    verb: 'delete --force',
    reason: 'a state that cannot be read is removed by what config.json says',
  },
  {
    name: 'open',
    what: /^\/sys\/fs\/cgroup\/freezer/,
    reason: 'a group is taken for not frozen, and is not waited for longer than for others',
  },
  ...['fcntl', 'fstat', 'getdents64', 'openat'].map((name) => ({
    name,
    what: /^\/sys\/fs\/cgroup\/freezer/,
    reason: 'what is frozen below is not thawed, and is not waited for longer than for others',
  })),
  ...['kill', 'delete', 'shim end'].map((verb) => ({
    name: 'mmap',
    what: /^0, 8192, 3$/,
    verb,
    reason: 'the list of what is below a group that thaws',
  })),
  {
    name: 'openat',
    what: /^freezer\.state/,
    reason: 'a group is taken for not frozen, and is not waited for longer than for others',
  },
  {
    name: 'read',
    what: /^\/sys\/fs\/cgroup\/freezer/,
    reason: 'a group is taken for not frozen, and is not waited for longer than for others',
  },
  ...['faccessat', 'openat'].map((name) => ({
    name,
    what: /^cgroup\.freeze/,
    reason: 'a group is taken for not frozen; start then waits for the process that is',
  })),
  {
    name: 'write',
    what: /^THAWED/,
    reason: 'a group is taken for not frozen, and is not waited for longer than for others',
  },
  {
    name: 'open',
    what: /^\/sys\/fs\/cgroup\/memory/,
    reason: 'whether memory ran out is not known then; the shim reports it',
  },
  {
    name: 'openat',
    what: /^memory\.oom_control/,
    reason: 'whether memory ran out is not known then; the shim reports it',
  },
  {
    name: 'read',
    what: /^\/sys\/fs\/cgroup\/memory/,
    reason: 'whether memory ran out is not known then; the shim reports it',
  },
  { name: 'openat', what: /^exit\.json/, reason: 'the exit is told by the event; the shim reports it' },
  { name: 'renameat', what: /^exit\.json/, reason: 'the exit is told by the event; the shim reports it' },
  { name: 'write', what: /^\{"code"/, reason: 'the exit is told by the event; the shim reports it' },
  { name: 'unlinkat', what: /^shim\./, reason: 'the daemon removes the directory of a container that has ended' },
  {
    name: 'pidfd_send_signal',
    verb: 'shim end',
    reason: 'init has ended, and with it everything in its pid namespace',
  },
  { name: 'epoll_pwait', reason: 'behind the answer: the shim says so and ends, which the daemon sees' },
  {
    name: 'setns',
    what: /^net$/,
    process: '0',
    reason: 'the way back from the network of a container is tried again',
  },
  ...deletionOfLink,
  {
    name: 'recvfrom',
    what: /^socket$/,
    verb: 'shim network',
    reason: 'what may have been left to read before a firewall is changed',
  },
  { name: 'recvmsg', verb: 'shim exec', reason: 'behind the answer: the connection ends, which the daemon sees' },
]

const matches =
  (call: Call, verb?: string) =>
  (excuse: Excuse): boolean =>
    excuse.name === call.name &&
    (excuse.verb === undefined || excuse.verb === verb) &&
    (excuse.process === undefined || excuse.process === call.process) &&
    (excuse.what === undefined || excuse.what.test(call.what))

export const whyNotFailed = (call: Call): string | undefined => neverFail.find(matches(call))?.reason

export const whyTolerated = (call: Call, verb: string): string | undefined =>
  tolerated.find(matches(call, verb))?.reason
