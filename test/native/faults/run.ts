/**
 * Fails the system calls of berth-runtime and berth-shim one after the other and tells each outcome:
 *   node test/native/faults/run.ts [--every N] [VERB…]
 * In a network namespace of its own; exits 1 when an outcome is not as it should be.
 */
import { execFileSync, spawnSync } from 'node:child_process'
import { readlinkSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { failEachCall } from './campaign.ts'
import { commandStage } from './command-scenes.ts'
import { shimStage } from './shim-scenes.ts'

const marker = 'BERTH_FAULTS_NETNS'
const own = readlinkSync('/proc/self/ns/net')
const bridge = 'faults0'

if (process.env[marker] === undefined || process.env[marker] === own) {
  const inside = spawnSync('unshare', ['--net', process.execPath, import.meta.filename, ...process.argv.slice(2)], {
    env: { ...process.env, [marker]: own },
    stdio: 'inherit',
  })
  process.exitCode = inside.status ?? 1
} else {
  process.exitCode = await main()
}

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({ options: { every: { type: 'string' } }, allowPositionals: true })
  execFileSync('ip', ['link', 'set', 'lo', 'up'])
  execFileSync('ip', ['link', 'add', bridge, 'type', 'bridge'])
  execFileSync('ip', ['link', 'set', bridge, 'up'])
  await using command = await commandStage()
  await using users = await commandStage('users')
  await using shim = await shimStage(bridge)
  await using shimUsers = await shimStage(bridge, true)
  const scenes = [command, users, shim, shimUsers]
    .flatMap((stage) => stage.scenes)
    .filter(({ title }) => positionals.length === 0 || positionals.includes(title))
  let calls = 0
  let wrong = 0
  for (const scene of scenes) {
    await failEachCall(scene, Number(values.every ?? 1), ({ line, problem }) => {
      calls += 1
      process.stdout.write(`${line}\n`)
      if (problem === undefined) return
      wrong += 1
      process.stdout.write(`WRONG: ${problem}\n`)
    })
  }
  process.stdout.write(`${calls} calls, ${wrong} wrong\n`)
  return wrong === 0 && calls > 0 ? 0 : 1
}
