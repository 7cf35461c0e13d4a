import { invalid } from '#base/errors.ts'
import { readJsonLines } from '../../client/client.ts'
import { toPlatformJson } from '../../client/images.ts'
import type { ProgressMessage } from '../../client/wire.ts'
import { command } from '../../command.ts'
import { showProgress } from '../../output/progress.ts'
import { text, toggle } from '../../parsing/flag.ts'
import { openFile } from '../../terminal/open-input.ts'

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
    if (flags.input === '' && cli.stdin.isTerminal) throw invalid('requested load from stdin, but stdin is empty')
    const archive = flags.input === '' ? cli.stdin.open() : await openFile(cli, flags.input)
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
