import { mkdir, readFile, realpath } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { writeFileAtomic } from '#base/atomic-file.ts'
import { invalid, messageOf, systemCode } from '#base/errors.ts'

type Fields = Readonly<Record<string, unknown>>

/**
 * Changes config.json. Everything else in the file belongs to other programs and stays; a link in its place stays one.
 * @returns the file's path   @throws `invalid`, without the file's text: it holds credentials
 */
export async function changeConfig(directory: string, edit: (config: Fields) => Fields): Promise<string> {
  const path = join(directory, 'config.json')
  await mkdir(directory, { recursive: true, mode: 0o700 })
  const target = await realpath(path).catch(() => path)
  const after = edit(await read(target))
  await mkdir(dirname(target), { recursive: true })
  await writeFileAtomic(target, `${JSON.stringify(after, undefined, '\t')}\n`)
  return path
}

async function read(path: string): Promise<Fields> {
  try {
    return JSON.parse(await readFile(path, 'utf8')) as Fields
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return {}
    throw invalid(
      `cannot change ${path}: ${error instanceof SyntaxError ? 'it is not a JSON object' : messageOf(error)}`,
    )
  }
}
