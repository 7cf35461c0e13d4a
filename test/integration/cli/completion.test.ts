/** Completion: what the hidden commands answer, and what a real bash makes of it. */
import { mkdir, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeAll, expect, test, vi } from 'vitest'
import { busybox, startDaemon, type TestDaemon } from '../../support/daemon.ts'
import { composePlugin } from '../../support/dockerd.ts'
import { berthCommand, berthFor } from './client.ts'

let daemon: TestDaemon

beforeAll(async () => {
  vi.stubEnv('DOCKER_API_VERSION', '1.50')
  daemon = await startDaemon()
  vi.stubEnv('NODE_COMPILE_CACHE', join(daemon.directory, 'compiled'))
  await daemon.docker('network', 'create', 'backend')
  await daemon.docker('volume', 'create', 'books')
  await daemon.runDetached('--name', 'running-one', busybox, 'sleep', '600')
  await daemon.docker('create', '--name', 'stopped-one', busybox, 'true')
  await daemon.docker('tag', busybox, 'registry.lan:5000/team/web:v1')
  await daemon.docker('context', 'create', 'far', '--docker', 'host=tcp://h:1')
  await mkdir(join(daemon.directory, 'cli-plugins'))
  await symlink(composePlugin(), join(daemon.directory, 'cli-plugins/docker-compose'))
  await mkdir(join(daemon.directory, 'bin'))
  await writeFile(join(daemon.directory, 'bin/berth'), `#!/bin/sh\nexec ${berthCommand.join(' ')} "$@"\n`, {
    mode: 0o755,
  })
  return async () => {
    await daemon[Symbol.asyncDispose]()
    vi.unstubAllEnvs()
  }
})

/** The words of an answer, without what they are about, and the directive behind them. */
function parse(stdout: string): { readonly words: readonly string[]; readonly directive: number } {
  const lines = stdout.trimEnd().split('\n')
  const directive = Number(lines.pop()?.slice(1))
  return { words: lines.map((line) => line.split('\t', 1)[0] ?? '').toSorted(), directive }
}

async function ours(words: readonly string[]) {
  return parse((await berthFor(daemon)('__complete', ...words)).stdout)
}

/** Of names docker leaves it to the shell which of them fit. */
async function theirs(words: readonly string[]) {
  const answer = parse((await daemon.docker('__complete', ...words)).stdout)
  return { ...answer, words: answer.words.filter((word) => word.startsWith(words.at(-1) ?? '')) }
}

test.each([
  [['rm', '']],
  [['rm', '-f', '']],
  [['rm', 'running-one', '']],
  [['container', 'rm', 'stop']],
  [['exec', '']],
  [['start', '']],
  [['stop', '']],
  [['logs', 'r']],
  [['run', '--network', '']],
  [['run', '--pull', '']],
  [['run', '--restart', '']],
  [['network', 'inspect', 'back']],
  [['network', 'connect', 'backend', '']],
  [['volume', 'rm', '']],
  [['context', 'use', '']],
  [['ps', 'x', '']],
  [['ps', '--fo']],
  [['container', 'pru']],
  [['network', '']],
  [['network', 'ls', '--fi']],
  [['compose', 'up', '--det']],
  [['compose', 'u']],
])('%j is completed as docker completes it', async (words) => {
  expect(await ours(words)).toEqual(await theirs(words))
})

test.each([
  [['run', 'regis'], ['registry.lan:5000/team/web:v1']],
  [
    ['rmi', 'busybox:latest', ''],
    ['berth/hello:latest', 'registry.lan:5000/team/web:v1'],
  ],
  [
    ['inspect', 'b'],
    ['backend', 'berth/hello:latest', 'books', 'bridge', 'busybox:latest'],
  ],
  [
    ['-c', ''],
    ['default', 'far'],
  ],
  [['-D', '--log-level', 'deb'], ['debug']],
  [['run', '--pull=al'], ['always']],
  [['run', '--volumes-from', 'stop'], ['stopped-one']],
  [['run', '-v', 'bo'], ['books']],
  [['compl'], ['completion']],
  [['comp'], ['completion', 'compose']],
  [['run', '--', 'busy'], ['busybox:latest']],
  [['nosuch', ''], []],
])('%j is completed with %j', async (words, wanted) => {
  expect((await ours(words)).words).toEqual(wanted)
})

test('files are for the places where files stand, and behind the image anything', async () => {
  expect(await ours(['import', ''])).toEqual({ words: [], directive: 0 })
  expect(await ours(['load', '-i', ''])).toEqual({ words: [], directive: 0 })
  expect(await ours(['run', busybox, '']).then(({ directive }) => directive)).toBe(0)
  expect(await ours(['rm', 'x']).then(({ directive }) => directive)).toBe(4)
})

test('without an engine nothing is offered, and nothing is said', async () => {
  const answer = await berthFor(daemon)('-H', 'unix:///nowhere', '__complete', 'rm', '')
  expect(answer).toEqual({ code: 0, stdout: ':1\n', stderr: '' })
})

/** What bash would put on the line: the completions of what has been typed. */
async function inBash(line: string): Promise<string[]> {
  const script = `
    PATH=${join(daemon.directory, 'bin')}:$PATH
    source <(berth completion bash) || exit
    COMP_LINE=$1 COMP_POINT=\${#1}
    compopt() { echo "files allowed"; }
    _berth berth
    printf '%s\\n' "\${COMPREPLY[@]}"`
  const { stdout, stderr } = await daemon.run(['bash', '--norc', '-c', script, 'bash', line])
  expect(stderr).toBe('')
  return stdout.split('\n').filter((word) => word !== '')
}

test.each([
  ['berth stop runn', ['running-one']],
  ['berth rm -f ', ['running-one', 'stopped-one']],
  ['berth run --pull=mi', ['missing']],
  ['berth run registry.lan:5000/te', ['5000/team/web:v1']],
  ['berth run --network bac', ['backend']],
  ['berth network in', ['inspect']],
  ['berth load -i ', ['files allowed']],
  ['berth container ls --no', ['--no-trunc']],
])('bash completes %j with %j', async (line, wanted) => {
  expect((await inBash(line)).toSorted()).toEqual(wanted)
})

test.each(['bash', 'zsh', 'fish'])('the script of %s names the program as it is called', async (shell) => {
  const { code, stdout } = await berthFor(daemon)('completion', shell)
  expect({ code, named: stdout.includes('__berth_complete') || stdout.includes('_berth') }).toEqual({
    code: 0,
    named: true,
  })
  expect(stdout).not.toContain('PROGRAM')
  const bare = await berthFor(daemon)('completion', shell, '--no-descriptions')
  expect(bare.stdout).toContain('__completeNoDesc ')
  expect(bare.stdout).not.toContain('__complete ')
})
