/** Prints the counts of system calls as JSON; in a network namespace of its own. */
import { execFileSync, spawnSync } from 'node:child_process'
import { readlinkSync } from 'node:fs'
import { countSystemCalls } from './system-calls.ts'

const marker = 'BERTH_COUNTS_NETNS'
const own = readlinkSync('/proc/self/ns/net')
const bridge = 'counts0'

if (process.env[marker] === undefined || process.env[marker] === own) {
  const inside = spawnSync('unshare', ['--net', process.execPath, import.meta.filename], {
    env: { ...process.env, [marker]: own },
    stdio: ['ignore', 'inherit', 'inherit'],
  })
  process.exitCode = inside.status ?? 1
} else {
  execFileSync('ip', ['link', 'set', 'lo', 'up'])
  execFileSync('ip', ['link', 'add', bridge, 'type', 'bridge'])
  execFileSync('ip', ['link', 'set', bridge, 'up'])
  process.stdout.write(JSON.stringify(await countSystemCalls(bridge)))
}
