import { parseReference } from '#oci/reference.ts'
import type { Cli } from '../../cli.ts'
import { type Answer, type Query, readJsonLines } from '../../client/client.ts'
import type { ProgressMessage } from '../../client/wire.ts'
import { command } from '../../command.ts'
import { showProgress } from '../../output/progress.ts'
import { list, text } from '../../parsing/flag.ts'
import { openFile } from '../../terminal/open-input.ts'

export const importCommand = command({
  usage: '[OPTIONS] file|URL|- [REPOSITORY[:TAG]]',
  summary: 'Make an image from a tar archive of its files',
  flags: {
    change: list('change', 'Apply a Dockerfile instruction to its config', { short: 'c' }),
    message: text('message', 'What the history says of it', { short: 'm' }),
    platform: text('platform', 'Its platform, as os[/arch[/variant]]'),
  },
  least: 1,
  async run(cli, { flags, args: [source = '', repository] }) {
    if (repository !== undefined) parseReference(repository)
    const { body } = await send(cli, source, {
      repo: repository,
      message: flags.message === '' ? undefined : flags.message,
      changes: flags.change,
      platform: flags.platform === '' ? undefined : flags.platform,
    })
    await showProgress(readJsonLines<ProgressMessage>(body), cli.stdout)
    return 0
  },
})

async function send(cli: Cli, source: string, query: Query): Promise<Answer> {
  if (/^https?:\/\//.test(source)) {
    return await cli.client.stream('POST', '/images/create', { query: { ...query, fromSrc: source } })
  }
  const archive = source === '-' ? cli.stdin.open() : await openFile(cli, source)
  try {
    const headers = { 'Content-Type': 'application/x-tar' }
    return await cli.client.upload('/images/create', archive, { query: { ...query, fromSrc: '-' }, headers })
  } finally {
    archive.destroy()
    cli.stdin.release()
  }
}
