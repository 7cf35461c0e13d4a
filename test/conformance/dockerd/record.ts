/**
 * npm run compare:dockerd [-- SCRIPT…]: plays the scripts to a live dockerd and to ours. Says which goldens moved, writes them anew,
 * and prints every difference that is not explained. Needs `npm run native` and root.
 */
import { spawnSync } from 'node:child_process'
import { isDeepStrictEqual } from 'node:util'
import { fetchDockerPeers } from '../../support/dockerd.ts'
import { removeSharedGroups } from '../../support/shared-groups.ts'
import { type Difference, differencesOf, placeOf } from './difference.ts'
import { startOurs, startTheirs } from './engines.ts'
import { exchange } from './exchange.ts'
import { explained, isExplainedBy } from './explained.ts'
import { readGolden, writeGolden, writePeer } from './goldens.ts'
import { type Played, play, type Target, type Version, versions } from './play.ts'
import { scripts } from './scripts/all.ts'

const inside = 'BERTH_COMPARE_INSIDE'

if (process.env[inside] === undefined) {
  // There is no way to the mirror from inside.
  fetchDockerPeers()
  // dockerd writes to the firewall, makes a bridge, and asks the volume plugins that it finds.
  const prepare = 'ip link set lo up && mkdir -p /run/docker && mount -t tmpfs tmpfs /run/docker && exec "$@"'
  const words = ['--net', '--mount', '--propagation', 'private', 'sh', '-c', prepare, 'sh']
  const { status } = spawnSync('unshare', [...words, process.execPath, ...process.argv.slice(1)], {
    env: { ...process.env, [inside]: '1' },
    stdio: 'inherit',
  })
  await removeSharedGroups()
  process.exitCode = status ?? 1
} else {
  process.exitCode = (await record(process.argv.slice(2))) ? 0 : 1
}

async function record(wanted: readonly string[]): Promise<boolean> {
  const chosen = scripts.filter(({ name }) => wanted.length === 0 || wanted.includes(name))
  await using theirs = await startTheirs()
  await using ours = await startOurs()
  writePeer(await versionOf(theirs))
  let moved = 0
  let requests = 0
  const differences: Difference[] = []
  for (const [script, version] of chosen.flatMap((one) => versions.map((version) => [one, version] as const))) {
    const expected = await play(theirs, script, version)
    requests += expected.length
    if (hasMoved(expected, script.name, version)) {
      moved += 1
      process.stdout.write(`golden moved: ${script.name} at ${version}\n`)
      writeGolden(script.name, version, expected)
    }
    const found = differencesOf(await play(ours, script, version), expected)
    for (const one of found.filter((difference) => !isExplained(difference))) print(version, one)
    differences.push(...found)
  }
  const unexplained = new Set(differences.filter((one) => !isExplained(one)).map(placeOf))
  const stale = explained.filter((row) => wanted.length === 0 && !differences.some((one) => isExplainedBy(row, one)))
  for (const { path, reason } of stale) process.stdout.write(`explained, but met no more: ${path} (${reason})\n`)
  process.stdout.write(`${requests} requests, ${moved} goldens moved, ${unexplained.size} places differ unexplained\n`)
  return moved === 0 && unexplained.size === 0 && stale.length === 0
}

function isExplained(difference: Difference): boolean {
  return explained.some((row) => isExplainedBy(row, difference))
}

function print(version: Version, { at, ours, theirs }: Difference): void {
  process.stdout.write(`${version} ${at}\n  ours:   ${JSON.stringify(ours)}\n  theirs: ${JSON.stringify(theirs)}\n`)
}

function hasMoved(played: readonly Played[], script: string, version: Version): boolean {
  try {
    return !isDeepStrictEqual(JSON.parse(JSON.stringify(played)), readGolden(script, version))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return true
    throw error
  }
}

async function versionOf({ socket }: Target): Promise<string> {
  const sent = { method: 'GET', path: '/version', headers: { Host: 'docker' }, body: undefined, input: undefined }
  return (JSON.parse((await exchange(socket, sent)).bytes.toString()) as { Version: string }).Version
}
