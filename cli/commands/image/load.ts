import { createReadStream } from 'node:fs'
import { open } from 'node:fs/promises'
import { resolve } from 'node:path'
import type { Readable } from 'node:stream'
import { invalid, messageOf, notFound, systemCode } from '#base/errors.ts'
import type { Cli } from '../../cli.ts'
import { readJsonLines } from '../../client/client.ts'
import { toPlatformJson } from '../../client/images.ts'
import type { ProgressMessage } from '../../client/wire.ts'
import { command } from '../../command.ts'
import { showProgress } from '../../output/progress.ts'
import { text, toggle } from '../../parsing/flag.ts'

export const loadCommand = command({
  usage: '[OPTIONS]',
  summary: 'Take images from a tar archive',
  flags: {
    input: text('input', 'Read a file, not standard input', { short: 'i' }),
    platform: text('platform', 'Only this platform, as os[/arch[/variant]]'),
    quiet: toggle('quiet', 'Show no progress', { short: 'q' }),
  },
  least: 0,
  most: 0,
  async run(cli, { flags }) {
    const archive = await openInput(cli, flags.input)
    try {
      const { body } = await cli.client.upload('/images/load', archive, {
        query: {
          quiet: flags.quiet || !cli.stdout.isTerminal ? '1' : '0',
          platform: toPlatformJson(flags.platform),
        },
        headers: { 'Content-Type': 'application/x-tar' },
      })
      await showProgress(readJsonLines<ProgressMessage>(body), cli.stdout)
    } finally {
      archive.destroy()
      cli.stdin.release()
    }
    return 0
  },
})

async function openInput(cli: Cli, path: string): Promise<Readable> {
  if (path === '') {
    if (cli.stdin.isTerminal) throw invalid('requested load from stdin, but stdin is empty')
    return cli.stdin.open()
  }
  try {
    const file = await open(resolve(cli.directory, path))
    return createReadStream('', { fd: file, highWaterMark: 1 << 20 })
  } catch (error) {
    if (systemCode(error) === 'ENOENT') throw notFound(`open ${path}: no such file or directory`, { cause: error })
    throw invalid(`open ${path}: ${messageOf(error)}`, { cause: error })
  }
}
