/** A change that makes the engine naive in one place, and the tests that must notice. */
export interface Mutant {
  /** The CVE, or the number in the list of reliability tests, that teaches it. */
  readonly lesson: string
  readonly naive: string
  readonly file: string
  /** Each text stands in the file exactly once. */
  readonly changes: readonly (readonly [from: string, to: string])[]
  readonly test: string
  /** Of the names of the tests. */
  readonly pattern: string
}

const closesDescriptors = (words: string): readonly [string, string] => [
  `        if (sys_close_range(child->first_free, ~0U, 0) < 0)\n                return berth_error_set(err, errno, "${words}");\n`,
  '',
]

export const mutants: readonly Mutant[] = [
  {
    lesson: 'CVE-2019-5736',
    naive: 'the copy in memory that shims run from can be written',
    file: 'runtime/lib/sealed-executable.c',
    changes: [['fcntl(fd, F_ADD_SEALS, EXECUTABLE_SEALS)', 'fcntl(fd, F_ADD_SEALS, F_SEAL_SEAL)']],
    test: 'test/native/shim-hostile.test.ts',
    pattern: 'a command of /proc/self/exe',
  },
  {
    lesson: 'CVE-2019-5736',
    naive: 'the command makes containers from its own file',
    file: 'runtime/command/main.c',
    changes: [['        if (sealed_executable_is(own))\n                return 0;', '        return 0;']],
    test: 'test/native/runtime/command.test.ts',
    pattern: 'never holds the file of the command',
  },
  {
    lesson: 'CVE-2024-21626',
    naive: 'descriptors of the host are open when the working directory of a run is entered',
    file: 'runtime/lib/process-child.c',
    changes: [
      closesDescriptors('close descriptors'),
      closesDescriptors('close inherited descriptors'),
      ["        if (n < 0 || path[0] != '/')\n", '        if (n < 0 && false)\n'],
      ['        if (n < 0 && errno != ENOENT)\n', '        if (n < 0 && false)\n'],
    ],
    test: 'test/native/runtime/process.test.ts',
    pattern: 'never leads to the host',
  },
  {
    lesson: 'CVE-2024-21626',
    naive: 'and when that of an exec is',
    file: 'runtime/lib/process-child.c',
    changes: [
      closesDescriptors('close descriptors'),
      closesDescriptors('close inherited descriptors'),
      ["        if (n < 0 || path[0] != '/')\n", '        if (n < 0 && false)\n'],
      ['        if (n < 0 && errno != ENOENT)\n', '        if (n < 0 && false)\n'],
    ],
    test: 'test/native/runtime/process.test.ts',
    pattern: 'nor does that of an exec',
  },
  {
    lesson: 'CVE-2024-21626',
    naive: 'the channel to the runtime stays open behind execve',
    file: 'runtime/lib/process-child.c',
    changes: [['i < PROCESS_STDIO ? 0 : O_CLOEXEC', '0']],
    test: 'test/native/runtime/process.test.ts',
    pattern: 'no descriptor of the runtime',
  },
  {
    lesson: 'CVE-2025-31133',
    naive: 'a masked path is covered by the container’s own /dev/null',
    file: 'runtime/lib/mask.c',
    changes: [
      ['sys_open_tree(null, "", OPEN_TREE_CLONE', 'sys_open_tree(own, "", OPEN_TREE_CLONE'],
      [
        '        if (fstat(target, &st) < 0)\n',
        '        _cleanup_close_ int own = -1;\n        if (path_open_in_root(root, "/dev/null", O_PATH, 0, &own) < 0)\n                own = dup(null);\n        if (fstat(target, &st) < 0)\n',
      ],
    ],
    test: 'test/native/runtime/hostile-dev.test.ts',
    pattern: 'masks are the host’s null device',
  },
  {
    lesson: 'CVE-2025-31133',
    naive: 'whatever the image has in the place of a device serves',
    file: 'runtime/lib/devnode.c',
    changes: [
      [
        '(st.st_mode & S_IFMT) != (device->mode & S_IFMT) || (!S_ISFIFO(st.st_mode)',
        'st.st_rdev == (dev_t) -1 || (st.st_rdev == (dev_t) -1',
      ],
    ],
    test: 'test/native/runtime/hostile-dev.test.ts',
    pattern: 'a /dev/null of the image',
  },
  {
    lesson: 'CVE-2025-52881',
    naive: 'a sysctl is written to whatever stands at its path',
    file: 'runtime/lib/sysctl.c',
    changes: [['RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV | RESOLVE_NO_MAGICLINKS', 'RESOLVE_IN_ROOT']],
    test: 'test/native/runtime/hostile-dev.test.ts',
    pattern: 'a sysctl is never written',
  },
  {
    lesson: 'CVE-2025-52565',
    naive: 'terminals come from whatever multiplexer stands in /dev/pts',
    file: 'runtime/lib/console.c',
    changes: [['RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV', 'RESOLVE_IN_ROOT']],
    test: 'test/native/runtime/hostile-dev.test.ts',
    pattern: 'the multiplexer of other terminals',
  },
  {
    lesson: 'CVE-2025-52565',
    naive: 'the terminal is mounted wherever /dev/console leads',
    file: 'runtime/lib/path.c',
    changes: [
      [
        'return path_resolve(root, path, flags, mode, RESOLVE_IN_ROOT, ret_fd);',
        'return path_resolve(root, path, flags, mode, 0, ret_fd);',
      ],
    ],
    test: 'test/native/runtime/hostile-dev.test.ts',
    pattern: 'in the place of /dev/console',
  },
  {
    lesson: 'CVE-2019-14271',
    naive: 'programs load libraries when they start',
    file: 'runtime/common.mk',
    changes: [['STATIC_LDFLAGS := -static -s', 'STATIC_LDFLAGS := -s']],
    test: 'test/native/static.test.ts',
    pattern: 'needs no loader',
  },
  {
    lesson: 'CVE-2019-14271',
    naive: 'the C library is asked for a user beside an image’s files',
    file: 'images/unpack/unpack.c',
    changes: [
      ['#include <fcntl.h>\n', '#include <fcntl.h>\n#include <pwd.h>\n'],
      [
        '        int root = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);\n',
        '        (void) getpwnam("root");\n        int root = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);\n',
      ],
    ],
    test: 'test/native/static.test.ts',
    pattern: 'asks for users',
  },
  {
    lesson: 'CVE-2021-30465',
    naive: 'mount points are opened by path, links and all',
    file: 'runtime/lib/path.c',
    changes: [
      [
        'return path_resolve(root, path, flags, mode, RESOLVE_IN_ROOT, ret_fd);',
        'return path_resolve(root, path, flags, mode, 0, ret_fd);',
      ],
    ],
    test: 'test/native/runtime/hostile.test.ts',
    pattern: 'turns into a link and back',
  },
  {
    lesson: 'CVE-2021-30465',
    naive: 'the way to a mount point is looked at first and gone a moment later',
    file: 'runtime/lib/path.c',
    changes: [
      [
        'return path_resolve(root, path, flags, mode, RESOLVE_IN_ROOT, ret_fd);',
        [
          'int r = path_resolve(root, path, flags, mode, RESOLVE_IN_ROOT | RESOLVE_NO_SYMLINKS, ret_fd);',
          'if (r < 0)',
          '        return path_resolve(root, path, flags, mode, RESOLVE_IN_ROOT, ret_fd);',
          '(void) close(*ret_fd);',
          '(void) usleep(50);',
          'return path_resolve(root, path, flags, mode, 0, ret_fd);',
        ].join('\n        '),
      ],
    ],
    test: 'test/native/runtime/rename-race.test.ts',
    pattern: 'none reaches the host',
  },
  {
    lesson: 'CVE-2021-30465',
    naive: 'labels are given through links',
    file: 'images/unpack/relabel.c',
    changes: [
      ['O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC', 'O_RDONLY | O_DIRECTORY | O_CLOEXEC'],
      ['.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS', '.resolve = 0'],
    ],
    test: 'test/native/unpack/relabel.test.ts',
    pattern: 'turns into a link meanwhile',
  },
  {
    lesson: 'CVE-2024-45310, CVE-2026-55686',
    naive: 'directories are made through the image’s links',
    file: 'runtime/lib/path.c',
    changes: [
      [
        'return path_resolve(root, path, flags, mode, RESOLVE_IN_ROOT, ret_fd);',
        'return path_resolve(root, path, flags, mode, 0, ret_fd);',
      ],
    ],
    test: 'test/native/runtime/filesystem.test.ts',
    pattern: 'links of the image cannot lead',
  },
  {
    lesson: 'CVE-2019-16884',
    naive: 'proc may be mounted behind a link of the image',
    file: 'runtime/lib/path.c',
    changes: [['RESOLVE_IN_ROOT | RESOLVE_NO_SYMLINKS', 'RESOLVE_IN_ROOT']],
    test: 'test/native/runtime/filesystem.test.ts',
    pattern: 'a link in the place of /proc',
  },
  {
    lesson: 'CVE-2020-15257',
    naive: 'the socket of a shim is an abstract one',
    file: 'shim/listener.c',
    changes: [
      [
        '        mode_t mask = umask(0177);\n',
        "        mode_t mask = umask(0177);\n        address.sun_path[0] = '\\0';\n",
      ],
    ],
    test: 'test/native/shim.test.ts',
    pattern: 'the socket of a shim',
  },
  {
    lesson: 'CVE-2020-15257',
    naive: 'whoever is root may speak to a shim, from a container too',
    file: 'shim/peer.c',
    changes: [
      ['!peer_shares_pids(peer.pid)', '(false && !peer_shares_pids(peer.pid))'],
      ['if (group && peer_is_contained', 'if (group && false && peer_is_contained'],
    ],
    test: 'test/native/shim-hostile.test.ts',
    pattern: 'is turned away',
  },
  {
    lesson: 'CVE-2024-40635',
    naive: 'the number of a user wraps around',
    file: 'src/containers/spec/user.ts',
    changes: [['const maxId = 2 ** 31 - 1', 'const maxId = Number.MAX_VALUE']],
    test: 'test/unit/containers/user.test.ts',
    pattern: 'is no user',
  },
  {
    lesson: 'CVE-2026-46680',
    naive: 'a number is looked up as a name',
    file: 'src/containers/spec/user.ts',
    changes: [
      [
        '  if (isNumber(text)) {\n    const uid',
        '  if (isNumber(text) && !users.some(({ name }) => name === text)) {\n    const uid',
      ],
    ],
    test: 'test/unit/containers/user.test.ts',
    pattern: 'a number is never looked up',
  },
  {
    lesson: 'CVE-2021-41091',
    naive: 'users of the host can enter the data root',
    file: 'src/engine/data-root.ts',
    changes: [['await chmod(path, 0o700)', 'await chmod(path, 0o755)']],
    test: 'test/integration/daemon/confinement.test.ts',
    pattern: 'nobody can enter',
  },
  {
    lesson: 'CVE-2024-25621',
    naive: 'and the directories of shims',
    file: 'src/engine/exec-root.ts',
    changes: [['await chmod(shims, 0o700)', 'await chmod(shims, 0o755)']],
    test: 'test/integration/daemon/confinement.test.ts',
    pattern: 'nobody can enter',
  },
  {
    lesson: 'CVE-2022-24769',
    naive: 'what a process may have, what it executes may have',
    file: 'src/containers/spec/process.ts',
    changes: [['      inheritable: [],', '      inheritable: capabilities,']],
    test: 'test/integration/daemon/confinement.test.ts',
    pattern: 'no inheritable capabilities',
  },
  {
    lesson: 'CVE-2022-29162',
    naive: 'the same, in the runtime',
    file: 'runtime/lib/capabilities.c',
    changes: [
      [
        'uint64_t inheritable = plan->capabilities[PLAN_INHERITABLE] & (own->permitted | own->inheritable);',
        'uint64_t inheritable = permitted;',
      ],
    ],
    test: 'test/native/runtime/hostile-dev.test.ts',
    pattern: 'CapInh is 0',
  },
  {
    lesson: 'CVE-2022-36109, CVE-2023-25173',
    naive: 'the runtime’s own groups stay',
    file: 'runtime/lib/process-child.c',
    changes: [['syscall(SYS_setgroups, plan->n_groups, plan->groups)', 'syscall(SYS_getpid)']],
    test: 'test/native/runtime/container.test.ts',
    pattern: 'capabilities, limits, groups',
  },
  {
    lesson: 'CVE-2022-36109, CVE-2023-25173',
    naive: 'and those of an exec’s maker',
    file: 'runtime/lib/process-child.c',
    changes: [['syscall(SYS_setgroups, plan->n_groups, plan->groups)', 'syscall(SYS_getpid)']],
    test: 'test/native/runtime/process.test.ts',
    pattern: 'its own additional groups',
  },
  {
    lesson: 'libseccomp beside x32',
    naive: 'calls of another table are let through',
    file: 'runtime/lib/seccomp-filter.c',
    changes: [['strange ? SECCOMP_RET_KILL_THREAD : default_action', 'strange ? default_action : default_action']],
    test: 'test/native/fuzz.test.ts',
    pattern: 'seccomp:',
  },
  {
    lesson: 'T2',
    naive: 'a container outlives its shim',
    file: 'runtime/lib/process-child.c',
    changes: [['!child->detached && prctl(PR_SET_PDEATHSIG', 'child->detached && prctl(PR_SET_PDEATHSIG']],
    test: 'test/native/shim-survival.test.ts',
    pattern: 'a shim that is killed',
  },
  {
    lesson: 'T4',
    naive: 'a request to a shim waits for ever',
    file: 'shim/client.ts',
    changes: [['    }, this.#timeoutMs)', '    }, this.#timeoutMs + 2 ** 30)']],
    test: 'test/native/shim-survival.test.ts',
    pattern: 'a frozen shim',
  },
  {
    lesson: 'T14',
    naive: 'a process is known by its number alone',
    file: 'runtime/lib/process-identity.c',
    changes: [['if (found != start_time)', 'if (found != start_time && found == 0)']],
    test: 'test/native/runtime/library.test.ts',
    pattern: 'a signal never reaches',
  },
  {
    lesson: 'session keyrings',
    naive: 'a process that cannot have its own has the caller’s',
    file: 'runtime/lib/process-child.c',
    changes: [
      ['KEYCTL_JOIN_SESSION_KEYRING, NULL) >= 0 || errno == ENOSYS', 'KEYCTL_JOIN_SESSION_KEYRING, NULL) >= -1'],
    ],
    test: 'test/native/runtime/keyring.test.ts',
    pattern: 'does not run with the host’s',
  },
  {
    lesson: 'CVE-2021-25741',
    naive: 'a part of a volume is opened wherever its links lead',
    file: 'runtime/lib/path.c',
    changes: [
      [
        'return path_resolve(directory, path, flags, 0, RESOLVE_BENEATH, ret_fd);',
        'return path_resolve(directory, path, flags, 0, 0, ret_fd);',
      ],
    ],
    test: 'test/native/runtime/subpath.test.ts',
    pattern: 'leads out and is refused',
  },
  {
    lesson: 'CVE-2024-29018',
    naive: 'questions from internal networks are asked of the world',
    file: 'src/network/dns/server.ts',
    changes: [["if (!zone.reachesOut) return answerTo(query, 'failed', [])", '']],
    test: 'test/integration/network/dns.test.ts',
    pattern: 'but not from internal networks',
  },
  {
    lesson: 'T18',
    naive: 'a port of one address is taken on all of them',
    file: 'shim/ports.c',
    changes: [
      [
        '                old->sin_family = AF_INET;\n                old->sin_port = htons(address->host_port);\n',
        '                old->sin_family = AF_INET;\n                old->sin_addr.s_addr = 0;\n                old->sin_port = htons(address->host_port);\n',
      ],
    ],
    test: 'test/integration/network/ports.test.ts',
    pattern: 'reached by nobody else',
  },
]

/** The file as the mutant has it.   @throws when a text is not there exactly once: the mutant is to be written anew */
export function mutate(source: string, { file, lesson, changes }: Mutant): string {
  return changes.reduce((text, [from, to]) => {
    const found = text.split(from).length - 1
    if (found !== 1) throw new Error(`${lesson}: ${file} has ${found} times, not once:\n${from}`)
    return text.replace(from, () => to)
  }, source)
}
