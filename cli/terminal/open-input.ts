import { open } from 'node:fs/promises'
import { resolve } from 'node:path'
import type { Readable } from 'node:stream'
import { invalid, messageOf, notFound, systemCode } from '#base/errors.ts'
import type { Cli } from '../cli.ts'

/** A file that is to be sent.   @throws `not-found`, `invalid` */
export async function openFile(cli: Cli, path: string): Promise<Readable> {
  try {
    const file = await open(resolve(cli.directory, path))
    return file.createReadStream({ highWaterMark: 1 << 20 })
  } catch (error) {
    if (systemCode(error) === 'ENOENT') throw notFound(`open ${path}: no such file or directory`, { cause: error })
    throw invalid(`open ${path}: ${messageOf(error)}`, { cause: error })
  }
}
