/**
 * npm run bench:runtime [-- ROUNDS]: berth-runtime and berth-shim beside crun and runc of Debian, with the same bundles, in turn;
 * exits 1 when a row misses its budget. Needs `npm run native`. Times are processor time of everything that a container took.
 */
import { spawnSync } from 'node:child_process'
import { readFileSync, readlinkSync, statSync } from 'node:fs'
import { nextExit } from '../../native/shim/story.ts'
import { removeSharedGroups } from '../../support/shared-groups.ts'
import { tempDirectory } from '../../support/temp.ts'
import { alternate, median } from '../measure.ts'
import { misses, type RuntimeRow, render } from './columns.ts'
import { conmonPss, containerdShimPss, ourPss } from './keepers.ts'
import { openProcessorAccount } from './processor-account.ts'
import { ShimSubject } from './shim-subject.ts'
import { assertNothingSkipped, CommandSubject, type ConfigName, makeRootfs, type Subject } from './subjects.ts'

const marker = 'BERTH_BENCH_MOUNTS'
const own = readlinkSync('/proc/self/ns/mnt')

if (process.env[marker] === undefined || process.env[marker] === own) {
  // crun refuses a host with both generations of cgroups: here it does not see the newer one, and neither do the others.
  const hide = 'umount /sys/fs/cgroup/unified && mount -t tmpfs none /sys/fs/cgroup/unified'
  // States are in memory as on every host, whatever /run is here: making files on a disk costs as much as the rest.
  const script = `ip link set lo up; mount -t tmpfs -o mode=755 none /run || exit; [ ! -e /sys/fs/cgroup/unified ] || { ${hide}; } || exit; exec "$@"`
  const node = [process.execPath, import.meta.filename, ...process.argv.slice(2)]
  const inside = spawnSync(
    'unshare',
    ['--net', '--mount', '--propagation', 'private', 'sh', '-c', script, 'sh', ...node],
    {
      env: { ...process.env, [marker]: own },
      stdio: 'inherit',
    },
  )
  process.exitCode = inside.status ?? 1
} else {
  process.exitCode = await main(Number(process.argv[2] ?? 50))
  await removeSharedGroups()
}

async function main(rounds: number): Promise<number> {
  await using directory = await tempDirectory('berth-bench-')
  const rows = await measure(directory.path, rounds)
  process.stdout.write(`${render(rows)}\n`)
  const missed = misses(rows)
  for (const miss of missed) process.stderr.write(`bench:runtime: ${miss}\n`)
  return missed.length === 0 ? 0 : 1
}

async function measure(directory: string, rounds: number): Promise<RuntimeRow[]> {
  const rootfs = makeRootfs(directory)
  await using states = await tempDirectory('berth-bench-', '/run')
  await using account = await openProcessorAccount(directory)
  await using shim = await ShimSubject.open(account, directory, states.path, rootfs)
  const ours = new CommandSubject(
    new URL('../../../build/native/berth-runtime', import.meta.url).pathname,
    account,
    directory,
    states.path,
    rootfs,
  )
  const peers = ['/usr/bin/crun', '/usr/sbin/runc'].map(
    (path) => new CommandSubject(path, account, directory, states.path, rootfs),
  )
  const subjects = [...peers, ours, shim]
  for (const subject of subjects) await assertNothingSkipped(subject)

  const rows: RuntimeRow[] = []
  for (const [config, budgets] of [
    ['docker', { 'berth-runtime': 5, 'berth-shim': 4 }],
    ['minimal', { 'berth-runtime': 2.5 }],
  ] as const) {
    const figures = await runs(subjects, config, rounds)
    const { crun = Number.NaN, runc = Number.NaN, ...own } = figures
    rows.push({ what: `run of true, ${config} config`, unit: 'ms', peers: { crun, runc }, ours: own, budgets })
  }
  rows.push(await execs(shim, rounds))
  rows.push({
    what: 'keeper at rest, PSS',
    unit: 'kB',
    peers: { conmon: await conmonPss(directory, rootfs), 'containerd-shim': await containerdShimPss(directory) },
    ours: { 'berth-shim': await ourPss(shim) },
    budgets: { 'berth-shim': 100 },
  })
  rows.push(await logs(shim))
  return rows
}

async function runs(subjects: readonly Subject[], config: ConfigName, rounds: number): Promise<Record<string, number>> {
  const samples = await alternate(Object.fromEntries(subjects.map((one) => [one.name, () => one.run(config)])), {
    rounds,
  })
  return Object.fromEntries(Object.entries(samples).map(([name, values]) => [name, median(values)]))
}

async function execs(subject: ShimSubject, rounds: number): Promise<RuntimeRow> {
  const shim = await subject.launch()
  await subject.start(shim, 'docker', ['sleep', '600'])
  const { exec } = await alternate({ exec: () => subject.exec(shim) }, { rounds })
  await shim.destroy()
  return {
    what: 'exec of true',
    unit: 'ms',
    peers: {},
    ours: { 'berth-shim': median(exec) },
    budgets: { 'berth-shim': 2 },
  }
}

/** Lines of a hundred bytes to json-file, by the processor time of the shim alone. */
async function logs(subject: ShimSubject): Promise<RuntimeRow> {
  const megabytes = 200
  const shim = await subject.launch()
  const line = 'x'.repeat(99)
  const log = await subject.start(
    shim,
    'minimal',
    ['sh', '-c', `yes ${line} | head -c ${megabytes}000000`],
    'json-file',
  )
  await nextExit(shim)
  const [nanoseconds = ''] = readFileSync(`/proc/${shim.pid}/schedstat`, 'utf8').split(' ')
  const lines = (megabytes * 1e6) / 100
  if (statSync(log).size < lines * 150) throw new Error(`the log has only ${statSync(log).size} bytes`)
  await shim.shutdown()
  const rate = megabytes / (Number(nanoseconds) / 1e9)
  return {
    what: 'log path, 100-byte lines',
    unit: 'MB/s',
    peers: {},
    ours: { 'berth-shim': rate },
    budgets: { 'berth-shim': 200 },
  }
}
