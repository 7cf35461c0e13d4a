import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { copyFileSync, mkdirSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join, relative } from 'node:path'
import { bundle, daemonAsset } from './bundle.ts'
import { writeHelloImage } from './hello-image.ts'
import { licensesAsset, thirdPartyNotices } from './licenses.ts'
import { type PackedFile, packedAssetOf, packedListAsset } from './native-assets.ts'
import { buildSea } from './sea.ts'

const root = join(import.meta.dirname, '../..')
const native = join(root, 'build/native')
const dist = join(root, 'dist')

await writeHelloImage(join(native, 'berth-hello'), join(native, 'hello-image'))
const { main, daemon } = await bundle(root, { BERTH_BUILD: JSON.stringify(buildFacts()) })
const packed = packedFiles()
const list: PackedFile[] = packed.map(({ path, mode, content }) => ({
  path,
  mode,
  sha256: createHash('sha256').update(content).digest('hex'),
}))

mkdirSync(dist, { recursive: true })
const made = buildSea({
  work: join(root, 'build/sea'),
  output: join(dist, 'berth'),
  main,
  assets: {
    [daemonAsset]: Buffer.from(daemon),
    [licensesAsset]: Buffer.from(thirdPartyNotices(root)),
    [packedListAsset]: Buffer.from(JSON.stringify(list)),
    ...Object.fromEntries(packed.map(({ path, content }) => [packedAssetOf(path), content])),
  },
})
for (const name of ['berth-runtime', 'berth-shim']) copyFileSync(join(native, name), join(dist, name))
process.stdout.write(
  `build: dist/berth ${made ? 'made' : 'is up to date'} (${Math.round(statSync(join(dist, 'berth')).size / 1e6)} MB)\n`,
)

/** What the binary says of itself; nothing of it changes while the sources stay the same. */
function buildFacts(): { version: string; gitCommit: string; buildTime: string } {
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string }
  const git = (...args: string[]) =>
    execFileSync('git', args, { cwd: root, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim()
  try {
    return { version, gitCommit: git('rev-parse', '--short=10', 'HEAD'), buildTime: git('log', '-1', '--format=%cI') }
  } catch {
    return { version, gitCommit: '', buildTime: '' }
  }
}

function packedFiles(): { path: string; mode: number; content: Buffer }[] {
  const executables = ['berth-shim', 'berth-runtime', 'berth-unpack', 'berth-probe'].map((path) => ({
    path,
    mode: 0o700,
    from: join(native, path),
  }))
  // Containers see this one, and run it as whatever user they are.
  const inside = { path: 'berth-init', mode: 0o755, from: join(native, 'berth-init') }
  const koffi = join(root, `node_modules/@koromix/koffi-linux-${process.arch}/linux_${process.arch}/koffi.node`)
  const plain = [
    { path: 'libberth.so', mode: 0o600, from: join(native, 'libberth.so') },
    { path: 'koffi.node', mode: 0o600, from: koffi },
    ...filesBelow(join(native, 'hello-image')).map((from) => ({ path: relative(native, from), mode: 0o600, from })),
  ]
  return [...executables, inside, ...plain].map(({ path, mode, from }) => ({ path, mode, content: readFileSync(from) }))
}

function filesBelow(directory: string): string[] {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort()
}
