/** What keeps a container in memory: ours, conmon, and the shim of containerd. */
import { execFile } from 'node:child_process'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { buildImage } from '../../support/base-image.ts'
import { minimalConfig } from '../../support/docker-bundle.ts'
import { dockerCli, startDockerd } from '../../support/dockerd.ts'
import { startRegistry } from '../../support/registry.ts'
import { waitFor } from '../../support/wait-for.ts'
import { outputOf, pssKilobytes } from '../measure.ts'
import type { ShimSubject } from './shim-subject.ts'

const execute = promisify(execFile)

/** A keeper at rest: shims give memory back a second after their last work. */
async function atRest(pid: number): Promise<number> {
  await sleep(2_500)
  return pssKilobytes(pid)
}

/** Beside two unused ones, which every daemon has ready and which share the program's pages. */
export async function ourPss(subject: ShimSubject): Promise<number> {
  const unused = [await subject.launch(), await subject.launch()]
  for (const shim of unused) await shim.prepare(true)
  const shim = await subject.launch()
  await subject.start(shim, 'docker', ['sleep', '600'], 'json-file')
  try {
    return await atRest(shim.pid)
  } finally {
    await shim.destroy()
    for (const one of unused) await one.shutdown()
  }
}

export async function conmonPss(directory: string, rootfs: string): Promise<number> {
  const bundle = join(directory, 'conmon')
  const id = `bench-conmon-${process.pid}`
  await mkdir(bundle)
  const pidFile = join(bundle, 'conmon.pid')
  const config = minimalConfig({ rootfs, args: ['sleep', '600'], cgroup: '' })
  writeFileSync(join(bundle, 'config.json'), JSON.stringify(config))
  const args = ['-c', id, '-u', id, '-r', '/usr/sbin/runc', '-b', bundle, '-p', join(bundle, 'pid'), '-P', pidFile]
  await execute('conmon', [...args, '-l', `k8s-file:${join(bundle, 'log')}`, '--exit-dir', bundle, '--full-attach'])
  await waitFor('the container is created', () =>
    execute('runc', ['start', id]).then(
      () => true,
      () => false,
    ),
  )
  const pss = await atRest(Number(readFileSync(pidFile, 'utf8')))
  await execute('runc', ['delete', '--force', id])
  return pss
}

/** Of the shim that docker's containerd starts for a container. */
export async function containerdShimPss(directory: string): Promise<number> {
  await using registry = await startRegistry()
  await registry.push('busybox:latest', buildImage())
  const image = `${registry.host}/busybox:latest`
  const place = join(directory, 'dockerd')
  await mkdir(place)
  await using dockerd = await startDockerd(place)
  const env = { PATH: process.env.PATH, DOCKER_HOST: dockerd.host, DOCKER_CONFIG: join(directory, 'docker-config') }
  const docker = (...args: string[]): Promise<string> => outputOf(dockerCli(), args, env)
  await waitFor(
    'dockerd answers',
    () =>
      docker('version').then(
        () => true,
        () => false,
      ),
    { timeoutMs: 60_000 },
  )
  await docker('pull', '-q', image)
  const id = (await docker('run', '-d', '--network', 'none', image, 'sleep', '600')).trim()
  const shims = readdirSync('/proc').filter((pid) => /^\d+$/.test(pid) && commandLine(pid).includes(id))
  const [pid = ''] = shims.filter(
    (one) => commandLine(one).startsWith('/') || commandLine(one).includes('containerd-shim'),
  )
  const pss = await atRest(Number(pid))
  await docker('rm', '-f', id)
  return pss
}

function commandLine(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8')
  } catch {
    return ''
  }
}
