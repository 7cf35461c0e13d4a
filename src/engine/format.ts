import { randomUUID } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { writeFileAtomic } from '#base/atomic-file.ts'
import { dataLoss, systemCode, unavailable } from '#base/errors.ts'
import { JsonReader } from '#oci/json.ts'

/** Of the data root as a whole. */
const formatVersion = 1

/**
 * Of a new data root it is written.
 * @returns the engine's id
 * @throws `unavailable` for a newer format, `data-loss` for a damaged file
 */
export async function checkFormat(path: string): Promise<string> {
  let content: string
  try {
    content = await readFile(path, 'utf8')
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') throw error
    const id = randomUUID()
    await writeFileAtomic(path, `${JSON.stringify({ format: formatVersion, id })}\n`, { durable: true })
    return id
  }
  const reader = readFormat(content, path)
  const format = reader.field('format').size()
  if (format > formatVersion) {
    throw unavailable(
      `${path} has format ${format}, but this berth knows only ${formatVersion}: use the newer berth again`,
    )
  }
  return reader.field('id').string()
}

/** The id of the engine whose data root this is, if it is one. */
export async function readEngineId(path: string): Promise<string | undefined> {
  const file = join(path, 'format.json')
  try {
    return readFormat(await readFile(file, 'utf8'), file)
      .field('id')
      .string()
  } catch (error) {
    if (systemCode(error) === 'ENOENT' || systemCode(error) === 'ENOTDIR') return undefined
    throw error
  }
}

function readFormat(content: string, path: string): JsonReader {
  try {
    return JsonReader.parse(content, path)
  } catch (cause) {
    throw dataLoss(`${path} is damaged`, { cause })
  }
}
