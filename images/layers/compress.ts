import { type ChildProcess, spawn } from 'node:child_process'
import type { FileHandle } from 'node:fs/promises'
import { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { abortError, onAbort } from '#base/abort.ts'
import { parseDigest } from '#base/digest.ts'
import { internal, messageOf, noSpace, unavailable } from '#base/errors.ts'
import type { Descriptor } from '#oci/descriptor.ts'
import { JsonReader } from '#oci/json.ts'
import { mediaTypes } from '#oci/media-types.ts'
import type { ContentStore } from '../content/content-store.ts'
import type { Lease } from '../content/leases.ts'

export type Compression = 'gzip' | 'zstd'

export interface CompressPorts {
  /** Path of the berth-unpack executable. */
  readonly executable: string
  readonly content: ContentStore
}

export interface LayerToCompress {
  /** Read from its current position; stays the caller's. */
  readonly file: FileHandle
  readonly compression: Compression
  /** Takes the blob that is made. */
  readonly lease: Lease
}

const typeOf = { gzip: mediaTypes.ociLayerGzip, zstd: mediaTypes.ociLayerZstd } as const

/** Makes a compressed blob of a plain layer, in confined children on all processors. The same layer gives the same blob.
 *  @throws `no-space`, `cancelled`, `unavailable` when the children cannot run here; nothing stays behind then */
export async function compressLayer(
  { executable, content }: CompressPorts,
  { file, compression, lease }: LayerToCompress,
  signal: AbortSignal,
): Promise<Descriptor> {
  await using ingest = await content.openIngest()
  const child = spawn(executable, [`--${compression}`], {
    stdio: [file.fd, 'pipe', 'pipe', 'ignore', 'pipe'],
    env: {},
    cwd: '/',
  })
  // It takes its own children down.
  const stop = () => child.kill('SIGTERM')
  using _stopping = onAbort(signal, stop)
  const ended = endOf(child)
  const said = Promise.all([ended, textOf(child.stdout), textOf(child.stderr)])
  try {
    for await (const chunk of outputOf(child)) await ingest.write(chunk)
  } catch (error) {
    stop()
    await ended
    throw error
  }
  const [end, answer, message] = await said
  if (signal.aborted) throw abortError(signal)
  if (end !== 0) throw failureOf(end, message.trim(), executable)
  const made = JsonReader.parse(answer, 'the answer of berth-unpack')
  const digest = parseDigest(made.field('digest').string())
  const size = made.field('size').size()
  lease.hold(digest)
  await ingest.commit(digest, size)
  return { mediaType: typeOf[compression], digest, size }
}

/** The exit code, the signal, or why the child could not be started. */
function endOf(child: ChildProcess): Promise<number | NodeJS.Signals | Error> {
  const { promise, resolve } = Promise.withResolvers<number | NodeJS.Signals | Error>()
  child.once('error', resolve)
  child.once('close', (code, killedBy) => resolve(code ?? killedBy ?? 'SIGKILL'))
  return promise
}

function outputOf(child: ChildProcess): AsyncIterable<Buffer> {
  const stream = child.stdio?.[4]
  return stream instanceof Readable ? stream : Readable.from([])
}

/** A line each: the child says no more. */
async function textOf(stream: Readable | null): Promise<string> {
  return stream ? await text(stream) : ''
}

function failureOf(end: number | NodeJS.Signals | Error, message: string, executable: string): Error {
  if (end instanceof Error) return unavailable(`cannot run ${executable}: ${messageOf(end)}`, { cause: end })
  if (end === 2) return unavailable(`berth-unpack cannot begin its work here: ${message || 'no message'}`)
  if (end === 3) return noSpace(message)
  return internal(`berth-unpack ended with ${end}: ${message || 'no message'}`)
}
