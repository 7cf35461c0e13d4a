import { execFile } from 'node:child_process'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { type TarEntry, tar } from '#test/support/tar.ts'
import { tempDirectory } from '#test/support/temp.ts'
import { runUnpackTool } from '#test/support/unpack-tool.ts'

const run = promisify(execFile)

export interface Layers extends AsyncDisposable {
  readonly path: string
  readonly lowers: readonly string[]
  readonly upper: string
}

const overlayOptions = 'index=off,redirect_dir=off,metacopy=off'

/** Layers from archives, the lowest first, and one on top that a script wrote through a real mount of them. `after` runs beside the mount. */
export async function aContainer(
  tool: string,
  archives: readonly (readonly TarEntry[])[],
  script: string,
  after = '',
): Promise<Layers> {
  await using undo = new AsyncDisposableStack()
  const { path } = undo.use(await tempDirectory('berth-pack-'))
  const lowers: string[] = []
  for (const [index, entries] of archives.entries()) {
    const lower = join(path, `lower${index}`)
    await mkdir(lower)
    const unpacked = await runUnpackTool(tool, lower, tar(entries), [index === 0 ? '--plain' : '--overlay'])
    if (unpacked.code !== 0) throw new Error(unpacked.message)
    lowers.unshift(lower)
  }
  const upper = join(path, 'upper')
  for (const name of ['upper', 'work', 'mount']) await mkdir(join(path, name))
  const mount = `mount -t overlay overlay -o lowerdir=${lowers.join(':')},upperdir=upper,workdir=work,${overlayOptions} mount`
  const program = `set -eu; cd ${path}; ${mount}; (cd mount; ${script}
    :); ${after}`
  await run('unshare', ['-m', '--propagation', 'private', 'sh', '-c', program], { maxBuffer: 1 << 24 })
  const owned = undo.move()
  return { path, lowers, upper, [Symbol.asyncDispose]: () => owned.disposeAsync() }
}

/** Deterministic and small: the same seed writes the same script. */
export function randomScript(seed: number): { entries: TarEntry[][]; script: string } {
  let state = seed
  const below = (n: number) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0
    return (state >>> 8) % n
  }
  const name = () => 'abcd'.charAt(below(4))
  const path = () => Array.from({ length: 1 + below(3) }, name).join('/')
  const layer = (): TarEntry[] => {
    const entries = new Map<string, TarEntry>()
    for (let i = 0; i < 12; i++) {
      const parts = path().split('/')
      const parents = parts.slice(0, -1).map((_, end) => parts.slice(0, end + 1).join('/'))
      if (parents.some((parent) => entries.has(parent))) continue
      const whole = parts.join('/')
      if ([...entries.keys()].some((other) => other.startsWith(whole))) continue
      entries.set(whole, { name: below(5) === 0 ? `${whole}/` : whole, content: below(5) === 0 ? '' : `${below(9)}` })
    }
    return [...entries.values()].map((entry) => (entry.name.endsWith('/') ? { name: entry.name } : entry))
  }
  const steps = Array.from({ length: 25 }, () => {
    const [one, other] = [path(), path()]
    const dirname = one.split('/').slice(0, -1).join('/') || '.'
    return [
      `rm -rf ${one}`,
      `rm -rf ${one}; mkdir -p ${one}`,
      `mkdir -p ${dirname}; echo ${below(9)} >${one}`,
      `chmod 7${below(8)}${below(8)} ${one}`,
      `mkdir -p ${dirname}; ln ${other} ${one}`,
      `mkdir -p ${dirname}; ln -s ${other} ${one}`,
      `mv ${other} ${one}`,
      `chown ${below(5)}:${below(5)} ${one}`,
    ][below(8)]
  })
  return { entries: [layer(), layer(), layer()], script: `set +e; exec 2>/dev/null; ${steps.join('\n')}` }
}
