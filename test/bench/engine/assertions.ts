import assert from 'node:assert/strict'
import { readlinkSync } from 'node:fs'
import { outputOf } from '../measure.ts'
import type { Engines } from './engines.ts'

const namespaces = ['mnt', 'pid', 'uts', 'ipc', 'net', 'cgroup'] as const

/** Before our time counts: the container that is timed has all that Docker's have. Throws otherwise. */
export async function assertNothingSkipped({ docker, ours, image }: Engines, network: string): Promise<void> {
  const probe = `grep -E '^(Seccomp|NoNewPrivs|CapEff):' /proc/self/status; for n in ${namespaces.join(' ')}; do readlink /proc/self/ns/$n; done; grep -c . /proc/self/mountinfo; exit 7`
  const limits = ['--memory', '64m', '--pids-limit', '50', '--cpus', '0.5']
  const since = Math.floor(Date.now() / 1000)
  const id = (
    await outputOf(docker, ['run', '-d', '--network', network, ...limits, image, 'sh', '-c', probe], ours.env)
  ).trim()
  assert.equal((await outputOf(docker, ['wait', id], ours.env)).trim(), '7', 'the exit code is recorded')

  const text = await outputOf(docker, ['logs', id], ours.env)
  assert.match(text, /^Seccomp:\s+2$/m, 'the system call filter is on')
  assert.match(text, /^CapEff:\s+00000000a80425fb$/m, "the capabilities are Docker's default")
  for (const name of namespaces) {
    const inside = new RegExp(`^${name}:\\[\\d+\\]$`, 'm').exec(text)?.[0]
    assert.ok(inside, `${name} namespace was read`)
    assert.notEqual(inside, readlinkSync(`/proc/self/ns/${name}`), `the ${name} namespace is the container's own`)
  }
  const inspected = JSON.parse(await outputOf(docker, ['inspect', id], ours.env)) as {
    HostConfig: Record<string, number>
  }[]
  assert.deepEqual(
    [inspected[0]?.HostConfig.Memory, inspected[0]?.HostConfig.PidsLimit, inspected[0]?.HostConfig.NanoCpus],
    [64 << 20, 50, 500_000_000],
  )
  const events = await outputOf(
    docker,
    [
      'events',
      '--since',
      String(since),
      '--until',
      String(Math.ceil(Date.now() / 1000) + 1),
      '--filter',
      `container=${id}`,
      '--filter',
      'event=die',
    ],
    ours.env,
  )
  assert.match(events, /container die .*exitCode=7/, 'the die event is written')
  await outputOf(docker, ['rm', id], ours.env)
}
