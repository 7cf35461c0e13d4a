import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { copyFileSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { dropLibatomic } from './self-contained.ts'

export interface SeaInput {
  /** Directory for intermediate files. */
  readonly work: string
  /** The finished binary. */
  readonly output: string
  /** ESM text. */
  readonly main: string
  readonly assets: Readonly<Record<string, Buffer>>
}

/**
 * Injects the program into a stripped copy of the Node that runs this (`node --build-sea`). Does nothing when the output was
 * made from the same bytes: writing 120 MB is the slowest step of a build.   @returns whether it was made anew
 */
export function buildSea({ work, output, main, assets }: SeaInput): boolean {
  const stamp = join(work, 'sea.stamp')
  const digest = digestOf(main, assets, import.meta.filename, join(import.meta.dirname, 'self-contained.ts'))
  if (existsSync(output) && existsSync(stamp) && readFileSync(stamp, 'utf8') === digest) return false

  mkdirSync(join(work, 'assets'), { recursive: true })
  mkdirSync(dirname(output), { recursive: true })
  const paths = Object.fromEntries(
    Object.entries(assets).map(([name, content]) => {
      const path = join(work, 'assets', name.replaceAll('/', '_'))
      writeFileSync(path, content)
      return [name, path]
    }),
  )
  writeFileSync(join(work, 'main.mjs'), main)
  const temporary = join(work, 'berth')
  const config = {
    main: join(work, 'main.mjs'),
    mainFormat: 'module',
    output: temporary,
    executable: strippedNode(work),
    disableExperimentalSEAWarning: true,
    useSnapshot: false,
    useCodeCache: false,
    // No NODE_OPTIONS for a program that runs as root and takes no advice from its environment.
    execArgvExtension: 'none',
    // The young generation otherwise grows to 32 MB and stays so; the daemon's objects are few.
    // Without the dashes Node reads flags of ours that it knows too, as `run --env-file`.
    execArgv: ['--max-semi-space-size=2', '--'],
    assets: paths,
  }
  writeFileSync(join(work, 'sea.json'), JSON.stringify(config))
  execFileSync(process.execPath, ['--build-sea', join(work, 'sea.json')], { stdio: ['ignore', 'ignore', 'inherit'] })
  // A file written in one piece lies in the page cache as pages of 2 MB, which a process maps whole: 30 MB more in each daemon's
  // memory than after this copy in small pieces. Written beside it and renamed: the old one may be running.
  copyFileSync(temporary, `${output}.new`)
  renameSync(`${output}.new`, output)
  rmSync(temporary)
  writeFileSync(stamp, digest)
  return true
}

function strippedNode(work: string): string {
  const stripped = join(work, `node-${process.version}`)
  if (existsSync(stripped)) return stripped
  const temporary = `${stripped}.new`
  copyFileSync(process.execPath, temporary)
  execFileSync('strip', [temporary])
  const image = readFileSync(temporary)
  if (dropLibatomic(image)) writeFileSync(temporary, image)
  renameSync(temporary, stripped)
  return stripped
}

/** @param makers the sources that decide what becomes of the input */
function digestOf(main: string, assets: SeaInput['assets'], ...makers: readonly string[]): string {
  const hash = createHash('sha256').update(process.version).update(main)
  for (const path of makers) hash.update(readFileSync(path))
  for (const [name, content] of Object.entries(assets)) hash.update(`\0${name}\0${content.length}\0`).update(content)
  return hash.digest('hex')
}
