import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { busybox, type CommandResult, startDaemon, type TestDaemon } from '#test/support/daemon.ts'
import { waitFor } from '#test/support/wait-for.ts'

let daemon: TestDaemon
beforeAll(async () => {
  daemon = await startDaemon()
})
afterAll(() => daemon[Symbol.asyncDispose]())

const idOf = async (path: string, body: object): Promise<string> => String((await daemon.json('POST', path, body)).Id)

async function left(what: 'ps' | 'network' | 'volume'): Promise<string> {
  const list = what === 'ps' ? ['ps', '-aq'] : [what, 'ls', '-q']
  return (await daemon.docker(...list, '--filter', 'label=job')).stdout
}

/** As GitLab Runner's docker executor runs a step: attach, start, the script on standard input, half-close, wait, the output to its end. */
async function step(container: string, script: string): Promise<{ code: unknown; output: string }> {
  const stream = await daemon.hijack(`/v1.44/containers/${container}/attach?stream=1&stdin=1&stdout=1&stderr=1`)
  const output = text(stream)
  const { body: started, status } = await daemon.request('POST', `/v1.44/containers/${container}/start`)
  expect({ status, started }).toEqual({ status: 204, started: '' })
  const ended = daemon.json('POST', `/v1.44/containers/${container}/wait?condition=not-running`)
  stream.write(script)
  stream.end()
  const { StatusCode: code } = await ended
  return { code, output: await output }
}

test('GitLab Runner: a job of two steps with a service, a cache volume and a network', async () => {
  const labels = { job: '1' }
  const network = await idOf('/v1.44/networks/create', { Name: 'job-net', Labels: labels })
  await daemon.json('POST', '/v1.44/volumes/create', { Name: 'job-cache', Labels: labels })
  const placed = (aliases: string[] = []) => ({
    HostConfig: { NetworkMode: 'job-net', Binds: ['job-cache:/builds'], LogConfig: { Type: 'json-file' } },
    NetworkingConfig: { EndpointsConfig: { 'job-net': { Aliases: aliases } } },
  })
  const service = await idOf('/v1.44/containers/create?name=job-service', {
    Image: busybox,
    Labels: labels,
    Cmd: ['nc', '-ll', '-p', '5432', '-e', 'echo', 'row'],
    ...placed(['postgres']),
  })
  await daemon.json('POST', `/v1.44/containers/${service}/start`)
  const stepBody = {
    ...{ Image: busybox, Labels: labels, Cmd: ['sh'], WorkingDir: '/builds' },
    ...{ AttachStdin: true, AttachStdout: true, AttachStderr: true, OpenStdin: true, StdinOnce: true, Tty: false },
    ...placed(['build']),
  }
  const helper = await idOf('/v1.44/containers/create?name=job-helper', stepBody)
  const fetched = await step(helper, 'echo source >code\n')
  expect(fetched).toEqual({ code: 0, output: '' })
  const build = await idOf('/v1.44/containers/create?name=job-build', stepBody)
  // A script that is longer than what pipes hold, and output that is, while the input is still being written.
  const long = Array.from({ length: 5000 }, (_, line) => `echo ${line} of a long script`).join('\n')
  const built = await step(build, `${long}\ncat code\nnc -w 5 postgres 5432 </dev/null\nexit 7\n`)
  expect(built.code).toBe(7)
  expect(built.output.match(/of a long script/g)).toHaveLength(5000)
  expect(built.output).toMatch(/source\n[\s\S]*row\n$/)

  // The same container once more, as for after_script.
  expect(await step(build, 'echo after; exit 0\n')).toMatchObject({
    code: 0,
    output: expect.stringContaining('after\n'),
  })
  for (const id of [helper, build, service]) {
    await daemon.json('DELETE', `/v1.44/containers/${id}?force=1&v=1`)
  }
  await daemon.json('DELETE', `/v1.44/networks/${network}`)
  await daemon.json('DELETE', '/v1.44/volumes/job-cache')
  expect([await left('ps'), await left('network'), await left('volume')]).toEqual(['', '', ''])
})

/** The output of a docker command that succeeds. */
async function docker(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await daemon.docker(...args)
  if (code !== 0) throw new Error(`docker ${args.join(' ')}: ${stderr}`)
  return stdout.trim()
}

/** As GitHub's runner runs a script of a job: the docker CLI's exec with the file on the shared folder. */
const runScript = (container: string, file: string): Promise<CommandResult> =>
  daemon.docker('exec', '-i', '--workdir', '/__w/repo', '-e', 'GITHUB_ACTIONS=true', container, 'sh', '-e', file)

test('GitHub Actions: a job container with a service on a network, scripts by exec, copies, and the clean-up', async () => {
  const work = join(daemon.directory, 'work')
  await mkdir(join(work, 'repo'), { recursive: true })
  await writeFile(
    join(work, 'script.sh'),
    'echo "$GITHUB_ACTIONS $HOME"; wget -qO- http://web:8000/; echo made >artifact; exit 5\n',
  )
  expect(await docker('version', '--format', '{{.Server.APIVersion}}')).toMatch(/^1\.\d+$/)
  for (const id of (await docker('ps', '--all', '--quiet', '--no-trunc', '--filter', 'label=job'))
    .split('\n')
    .filter(Boolean)) {
    await docker('rm', '--force', id)
  }
  await docker('network', 'prune', '--force', '--filter', 'label=job')
  await docker('network', 'create', '--label', 'job', 'github_network')

  const shared = ['--label', 'job', '--network', 'github_network']
  const check = ['--health-cmd', 'wget -qO- localhost:8000', '--health-interval', '100ms', '--health-retries', '50']
  const web = await docker(
    ...['create', '--name', 'web_job', '--network-alias', 'web', ...shared, ...check, '-p', '8000'],
    ...[busybox, 'sh', '-c', 'echo served >/tmp/index.html && exec httpd -f -p 8000 -h /tmp'],
  )
  await docker('start', web)
  const job = await docker(
    ...['create', '--name', 'job', '--workdir', '/__w/repo', ...shared, '-e', 'HOME=/github/home', '-e', 'CI=true'],
    ...['-v', `${daemon.socket}:/var/run/docker.sock`, '-v', `${work}:/__w`, '-v', `${work}:/github/home`],
    ...['--entrypoint', 'tail', busybox, '-f', '/dev/null'],
  )
  await docker('start', job)
  expect(
    await docker(
      'ps',
      '--all',
      '--filter',
      `id=${job}`,
      '--filter',
      'status=running',
      '--no-trunc',
      '--format',
      '{{.ID}} {{.Status}}',
    ),
  ).toMatch(new RegExp(`^${job} Up `))
  expect(await docker('port', web)).toMatch(/^8000\/tcp -> 0\.0\.0\.0:\d+/)
  const health = '{{if .Config.Healthcheck}}{{print .State.Health.Status}}{{end}}'
  await waitFor('the service is healthy', async () => (await docker('inspect', '--format', health, web)) === 'healthy')
  expect(await docker('inspect', '--format', '{{range .Config.Env}}{{println .}}{{end}}', job)).toContain('CI=true')

  expect(await runScript(job, '/__w/script.sh')).toEqual({ code: 5, stdout: 'true /github/home\nserved\n', stderr: '' })
  await docker('cp', 'job:/__w/repo/artifact', join(daemon.directory, 'artifact'))
  expect(await readFile(join(daemon.directory, 'artifact'), 'utf8')).toBe('made\n')
  await docker('cp', join(daemon.directory, 'artifact'), 'job:/tmp/again')
  expect(await docker('exec', 'job', 'cat', '/tmp/again')).toBe('made')
  expect(await docker('logs', '--details', web)).toBe('')

  await docker('rm', '--force', job)
  await docker('rm', '--force', web)
  await docker('network', 'rm', 'github_network')
  expect([await left('ps'), await left('network')]).toEqual(['', ''])
})
