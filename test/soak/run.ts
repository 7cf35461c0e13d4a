/** npm run soak -- NAME…: what takes minutes and is not part of `npm test`. Needs `npm run native`. */
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { removeSharedGroups } from '../support/shared-groups.ts'

const root = join(import.meta.dirname, '../..')

/** Each by name: a program and its arguments; further arguments are passed on. */
const soaks: Readonly<Record<string, readonly string[]>> = {
  api: ['test/soak/api/run.ts'],
  fuzz: ['test/native/fuzz/soak.ts'],
  faults: ['test/native/faults/run.ts'],
  powercut: ['test/soak/powercut/run.ts'],
  networks: ['test/soak/networks.ts'],
  pulls: ['test/soak/pulls.ts'],
  'rename-race': ['test/native/runtime/rename-race.ts'],
  'store-faults': ['test/soak/store-faults/run.ts'],
  'shim-exec': ['test/native/shim/exec-soak.ts'],
}

const [name = '', ...rest] = process.argv.slice(2)
const soak = Object.hasOwn(soaks, name) ? soaks[name] : undefined
if (soak === undefined) {
  process.stderr.write(`soak: there is no '${name}'; there are: ${Object.keys(soaks).join(', ')}\n`)
  process.exitCode = 1
} else {
  const { status } = spawnSync(process.execPath, [...soak, ...rest], { cwd: root, stdio: 'inherit' })
  process.exitCode = status ?? 1
  await removeSharedGroups()
}
