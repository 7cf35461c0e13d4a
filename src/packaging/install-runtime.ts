import { copyFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { isSea } from 'node:sea'
import { messageOf } from '#base/errors.ts'
import { packedAssetOf } from './native-assets.ts'

const name = 'berth-runtime'

/**
 * `berth runtime --install PATH`: puts the OCI command where other engines find it, in one step; into a directory under its own name.
 * @returns the exit status
 */
export async function installRuntime(argv: readonly string[]): Promise<number> {
  const [path, ...rest] = argv
  if (path === undefined || path === '' || rest.length > 0) {
    process.stderr.write('berth runtime --install: expected one PATH, a file or a directory\n')
    return 1
  }
  try {
    process.stdout.write(`${await install(resolve(path))}\n`)
    return 0
  } catch (error) {
    process.stderr.write(`berth runtime --install: ${messageOf(error)}\n`)
    return 1
  }
}

async function install(path: string): Promise<string> {
  const found = await stat(path).catch(() => undefined)
  const target = found?.isDirectory() ? join(path, name) : path
  const beside = `${target}.${process.pid}.new`
  try {
    await write(beside)
    await rename(beside, target)
  } catch (error) {
    await rm(beside, { force: true })
    throw error
  }
  return target
}

async function write(path: string): Promise<void> {
  if (!isSea()) {
    await copyFile(join(import.meta.dirname, '../../build/native', name), path)
    return
  }
  const { getRawAsset } = await import('node:sea')
  await writeFile(path, new Uint8Array(getRawAsset(packedAssetOf(name))), { mode: 0o755, flag: 'wx' })
}
