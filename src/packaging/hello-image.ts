import { createHash } from 'node:crypto'
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { mediaTypes } from '#oci/media-types.ts'
import { hostPlatform } from '#oci/platform.ts'

/** Fixed, so that the same program always makes the same image. */
const created = '2026-01-01T00:00:00Z'

/** Writes the OCI layout of `berth/hello`: one uncompressed layer with one static program.  @see image-spec v1.1 image-layout.md */
export async function writeHelloImage(program: string, directory: string): Promise<void> {
  await rm(directory, { recursive: true, force: true })
  await mkdir(join(directory, 'blobs/sha256'), { recursive: true })
  const put = async (mediaType: string, content: Buffer) => {
    const hex = createHash('sha256').update(content).digest('hex')
    await writeFile(join(directory, 'blobs/sha256', hex), content)
    return { mediaType, digest: `sha256:${hex}`, size: content.length }
  }

  const layer = await put(mediaTypes.ociLayer, singleFileTar('hello', await readFile(program)))
  const { os, architecture } = hostPlatform
  const config = await put(
    mediaTypes.ociConfig,
    json({
      created,
      architecture,
      os,
      config: {
        Cmd: ['/hello'],
        WorkingDir: '/',
        Env: ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'],
      },
      rootfs: { type: 'layers', diff_ids: [layer.digest] },
      history: [{ created, created_by: 'COPY hello / # berth' }],
    }),
  )
  const manifest = await put(
    mediaTypes.ociManifest,
    json({ schemaVersion: 2, mediaType: mediaTypes.ociManifest, config, layers: [layer] }),
  )
  const annotations = { 'org.opencontainers.image.ref.name': 'latest' }
  const index = { schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests: [{ ...manifest, annotations }] }
  await writeFile(join(directory, 'index.json'), json(index))
  await writeFile(join(directory, 'oci-layout'), json({ imageLayoutVersion: '1.0.0' }))
}

function json(value: object): Buffer {
  return Buffer.from(JSON.stringify(value))
}

/** A ustar archive with one executable file, owned by root, dated `created`.  @see POSIX pax, ustar interchange format */
function singleFileTar(name: string, content: Buffer): Buffer {
  const header = Buffer.alloc(512)
  const octal = (value: number, at: number, width: number) =>
    header.write(`${value.toString(8).padStart(width - 1, '0')}\0`, at)
  header.write(name, 0)
  octal(0o755, 100, 8)
  octal(0, 108, 8)
  octal(0, 116, 8)
  octal(content.length, 124, 12)
  octal(Date.parse(created) / 1000, 136, 12)
  header.write('        ', 148)
  header.write('0', 156)
  header.write('ustar\x0000', 257)
  octal(
    header.reduce((sum, byte) => sum + byte, 0),
    148,
    7,
  )
  return Buffer.concat([header, content, Buffer.alloc((512 - (content.length % 512)) % 512), Buffer.alloc(1024)])
}
