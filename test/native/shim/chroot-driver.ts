/** Run by shim-chroot.test.ts inside a chroot: which root init, an exec and the mount namespace itself have, as one line of JSON. */
import { execFileSync } from 'node:child_process'
import { makeRoot } from './container.ts'
import { openKeeper } from './keeper.ts'
import { createExec, nextExit, readAll, start } from './story.ts'

await using root = await makeRoot()
await using keeper = await openKeeper()
const { shim, exit, pid } = await start(keeper, root, { args: ['sleep', '1000'] })
const namespace = execFileSync('nsenter', ['-m', '-t', String(pid), '/bin/busybox', 'ls', '/'], { encoding: 'utf8' })

const done = nextExit(shim, 'list')
await createExec(keeper, shim, 'list', ['ls', '/'])
const stream = await shim.attach('list', { stdin: false, stdout: true, stderr: true, framed: false })
await shim.start('list')
const exec = (await readAll(stream)).toString()
await done

await shim.kill('', 9)
await exit
await shim.shutdown()
console.log(JSON.stringify({ namespace: namespace.trim().split('\n'), exec: exec.trim().split('\n') }))
