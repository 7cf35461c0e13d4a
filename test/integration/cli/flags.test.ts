/** The flags of each command beside those of docker, as `--help` lists them. */
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { catalog } from '#cli/catalog.ts'
import { dockerCli } from '../../support/dockerd.ts'

const run = promisify(execFile)

/** Flags of docker that ours has not, by the reason. */
const missing: Readonly<Record<string, readonly string[]>> = {
  'only Windows has it': ['cpu-count', 'cpu-percent', 'io-maxbandwidth', 'io-maxiops'],
  'kernels have it no longer': ['kernel-memory'],
  'devices of vendors come by CDI, which is not there yet': ['gpus'],
  'experimental in docker': ['checkpoint', 'checkpoint-dir', 'use-api-socket'],
  'limits of a running real-time group are not changed': ['cpu-rt-period', 'cpu-rt-runtime'],
  'volumes of a swarm': [
    ...['availability', 'cluster', 'group', 'limit-bytes', 'required-bytes', 'scope', 'secret', 'sharing'],
    ...['topology-preferred', 'topology-required', 'type'],
  ],
}

/** Flags of ours that docker has not: the notices of the binary. */
const further = ['--licenses']

const ownCommands = ['system check']

const commands = catalog.flatMap(({ spellings: [spelling = ''], load }) =>
  ownCommands.includes(spelling) ? [] : [{ spelling, load }],
)

test.concurrent.each(commands)('$spelling has the flags of docker', async ({ spelling, load }) => {
  const { stdout } = await run(dockerCli(), [...spelling.split(' '), '--help'])
  const theirs = [...stdout.matchAll(/^ +(?:-(\w), )?--([\w-]+)/gm)].map(([, short, name]) => spell(name, short))
  const flags = Object.values((await load()).flags).filter(({ hidden }) => !hidden)
  const mine = flags.map(({ name, short }) => spell(name, short))
  const known = ['help', ...Object.values(missing).flat()]
  expect(theirs.filter((flag) => !mine.includes(flag) && !known.includes(flag.replace(/^.*--/, '')))).toEqual([])
  expect(mine.filter((flag) => !theirs.includes(flag) && !further.includes(flag))).toEqual([])
})

function spell(name: string | undefined, short: string | undefined): string {
  return short === undefined ? `--${name}` : `-${short}, --${name}`
}
