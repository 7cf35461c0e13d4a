import { constants, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { isSea } from 'node:sea'
import { internal } from '#base/errors.ts'
import { packedAssetOf } from './native-assets.ts'

const name = 'berth-runtime'

/** Replaces this process by the OCI command that the binary carries; in a source tree by what the build made. Returns only by throwing. */
export async function execRuntime(argv: readonly string[]): Promise<never> {
  const path = isSea() ? await unpackForExec() : join(import.meta.dirname, '../../build/native', name)
  process.execve?.(path, [name, ...argv], process.env)
  throw internal(`${name} was not executed`)
}

/** A descriptor of a file that no longer has a name: the kernel finds it by /proc before the descriptor closes itself. */
async function unpackForExec(): Promise<string> {
  const { getRawAsset } = await import('node:sea')
  const directory = mkdtempSync(join(tmpdir(), 'berth-'))
  try {
    const path = join(directory, name)
    writeFileSync(path, new Uint8Array(getRawAsset(packedAssetOf(name))), { mode: 0o700 })
    return `/proc/self/fd/${openSync(path, constants.O_RDONLY)}`
  } finally {
    rmSync(directory, { recursive: true })
  }
}
