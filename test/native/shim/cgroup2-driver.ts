/** Run by shim-cgroup2.test.ts inside the virtual machine: what a shim does with cgroup v2, as one line of JSON. */
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { aProcess, makeRoot, readLog } from './container.ts'
import { openKeeper } from './keeper.ts'
import { cgroupsOf, createExec, nextExit, readAll, start } from './story.ts'

await using root = await makeRoot()
await using keeper = await openKeeper({ warm: 1, timeoutMs: 120_000 })

const plain = await start(keeper, root, { args: ['sh', '-c', 'cat /proc/self/cgroup; exit 9'] })
const { code } = await plain.exit
const seen = await readLog(plain.files.logPath)
const shimGroup = await readFile(`/proc/${plain.shim.pid}/cgroup`, 'utf8')
await plain.shim.shutdown()
const left = await cgroupsOf(plain.files.id)

// In one system call: a program that grows while it runs can be kept from growing by having to read its own pages again and again.
const hungry = await start(keeper, root, {
  args: ['dd', 'if=/dev/zero', 'of=/dev/null', 'bs=64M', 'count=1'],
  memory: 16 << 20,
})
let told = false
hungry.shim.onOom(() => {
  told = true
})
const { oomKilled } = await hungry.exit
await hungry.shim.shutdown()

const frozen = await start(keeper, root, { args: ['sleep', '1000'] })
const done = nextExit(frozen.shim, 'inside')
await createExec(keeper, frozen.shim, 'inside', ['cat', '/proc/self/cgroup'])
const stream = await frozen.shim.attach('inside', { stdin: false, stdout: true, stderr: true, framed: false })
await frozen.shim.start('inside')
const execGroup = (await readAll(stream)).toString()
await done
await frozen.shim.pause()
const { paused } = await frozen.shim.state()
await frozen.shim.kill('', 9)
const { signal } = await frozen.exit
await frozen.shim.shutdown()

/** What systemd or an engine does inside its container. */
const manager = await start(keeper, root, { args: ['sleep', '1000'] })
const [group = ''] = await cgroupsOf(manager.files.id)
await mkdir(`${group}/init`)
await writeFile(`${group}/init/cgroup.procs`, String(manager.pid))
await writeFile(`${group}/cgroup.subtree_control`, '+pids')
const { pid: besidePid } = await keeper.create(manager.shim, 'beside', aProcess(['true']), undefined)
const beside = (await readFile(`/proc/${besidePid}/cgroup`, 'utf8')).replace(manager.files.id, 'ID')
await manager.shim.kill('', 9)
await manager.exit
await manager.shim.shutdown()
const besideLeft = await cgroupsOf(manager.files.id)

const reported = keeper.reported.map(String)
console.log(
  JSON.stringify({
    code,
    seen: seen[0]?.log,
    shimGroup,
    left,
    told,
    oomKilled,
    execGroup,
    paused,
    signal,
    beside,
    besideLeft,
    reported,
  }),
)
