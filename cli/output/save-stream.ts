import { createWriteStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { writeFileAtomic } from '#base/atomic-file.ts'
import { invalid, systemCode } from '#base/errors.ts'
import type { Cli } from '../cli.ts'

/** Refuses, before anything is asked of the engine, what the bytes cannot be written to.   @param path '' for standard output
 *  @throws `invalid` */
export async function checkSaveTarget(cli: Cli, path: string): Promise<void> {
  if (path === '') {
    if (cli.stdout.isTerminal) throw invalid('cowardly refusing to save to a terminal. Use the -o flag or redirect')
    return
  }
  const target = resolve(cli.directory, path)
  if ((await statIfThere(target))?.isDirectory()) throw invalid(`invalid output path: "${path}" is a directory`)
  if (!(await statIfThere(dirname(target)))?.isDirectory()) {
    throw invalid(`invalid output path: stat ${dirname(path)}: no such file or directory`)
  }
}

/** Writes the bytes to standard output, or to a file that is there as a whole or not at all. */
export async function saveStream(cli: Cli, path: string, body: AsyncIterable<Buffer>): Promise<void> {
  if (path === '') {
    for await (const chunk of body) {
      await cli.stdout.write(chunk)
      if (cli.stdout.closed) return
    }
    return
  }
  const target = resolve(cli.directory, path)
  const found = await statIfThere(target)
  // A device or pipe is written to, not replaced.
  if (found && !found.isFile()) await pipeline(body, createWriteStream(target))
  else await writeFileAtomic(target, body)
}

async function statIfThere(path: string) {
  try {
    return await stat(path)
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined
    throw error
  }
}
