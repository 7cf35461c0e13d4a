import { execFile } from 'node:child_process'
import { mkdir, readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { dockerConfig } from '#test/support/docker-bundle.ts'

const execute = promisify(execFile)
const root = join(import.meta.dirname, '../../..')

export const parts = ['plan-compile', 'plan-open', 'seccomp-compile', 'log-split'] as const
export type Part = (typeof parts)[number]

/** Instructions of one pass through each part, which no other load changes. */
export async function countInstructions(directory: string): Promise<Record<Part, number>> {
  const program = await build()
  const files = await documents(directory)
  const counts = await Promise.all(
    parts.map(async (part) => {
      // What happens once (the first memory, the first file) is in both and goes away.
      const [few, many] = [await collected(program, part, 1, files), await collected(program, part, 5, files)]
      return [part, Math.round((many - few) / 4)] as const
    }),
  )
  return Object.fromEntries(counts) as Record<Part, number>
}

async function build(): Promise<string> {
  const machine = process.arch === 'arm64' ? 'aarch64' : 'x86_64'
  const [native, objects] = [join(root, 'build/native'), join(root, 'build/obj')]
  const program = join(root, 'build/test/pure_parts')
  await mkdir(join(root, 'build/test'), { recursive: true })
  const shim = (await readdir(join(objects, 'shim')))
    .filter((name) => name.endsWith('.o') && name !== 'main.o' && name !== 'anchor.o')
    .map((name) => join(objects, 'shim', name))
  const compile = join(objects, 'static/libcompile.a')
  const debian = ['seccomp', 'jansson'].map((name) => `/usr/lib/${machine}-linux-gnu/lib${name}.a`)
  await execute('musl-gcc', [
    ...[
      '-std=gnu17',
      '-g',
      '-Os',
      '-D_GNU_SOURCE',
      '-Wall',
      '-Wextra',
      '-Wconversion',
      '-Werror',
      '-static',
      '-Wl,--gc-sections',
    ],
    ...['-idirafter', '/usr/include', '-idirafter', `/usr/include/${machine}-linux-gnu`],
    ...['-iquote', join(root, 'runtime/lib'), '-iquote', join(root, 'shim'), '-o', program],
    ...[join(import.meta.dirname, 'pure_parts.c'), ...shim, compile, join(native, 'librt.a'), ...debian, compile],
  ])
  return program
}

async function documents(directory: string): Promise<string[]> {
  const config = dockerConfig({ rootfs: '/rootfs', args: ['true'], cgroup: '/group' })
  const keeper = {
    ...{ id: 'pure', directory: '/directory', stdin: { open: false, once: false }, log: { driver: 'none' } },
    ...{ rootfs: { kind: 'directory', path: '/rootfs' }, network: { kind: 'none' } },
  }
  const files = { config, keeper, seccomp: config.linux.seccomp }
  for (const [name, document] of Object.entries(files)) await writeFile(join(directory, name), JSON.stringify(document))
  return Object.keys(files).map((name) => join(directory, name))
}

async function collected(program: string, part: Part, times: number, files: readonly string[]): Promise<number> {
  const args = ['--tool=callgrind', '--callgrind-out-file=/dev/null', program, part, `${times}`, ...files]
  const { stderr } = await execute('valgrind', args)
  const [, count] = /Collected\s*:\s*(\d+)/.exec(stderr) ?? []
  if (count === undefined) throw new Error(`valgrind counted nothing: ${stderr}`)
  return Number(count)
}
