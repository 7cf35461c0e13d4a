import { invalid } from '#base/errors.ts'
import type { CheckMessage } from '#contract/types.gen.ts'
import { readJsonLines } from '../../client/client.ts'
import { command } from '../../command.ts'
import { ExitError } from '../../exit-error.ts'
import { formatFinding, formatSummary } from '../../output/check-report.ts'
import { text, toggle } from '../../parsing/flag.ts'

export const checkCommand = command({
  usage: '[OPTIONS]',
  summary: 'Check images and layers on the disk, and mend them',
  flags: {
    format: text('format', 'json: findings and summary as JSON, one object a line'),
    repair: toggle('repair', 'Mend what can be mended, put aside what cannot'),
  },
  least: 0,
  most: 0,
  async run(cli, { flags }) {
    if (!['', 'json'].includes(flags.format)) throw invalid(`invalid format '${flags.format}': only json is known`)
    const { body } = await cli.client.stream('POST', '/x/system/check', { query: { repair: flags.repair } })
    const showsProgress = cli.stderr.isTerminal && flags.format === ''
    let unmended: number | undefined
    for await (const message of readJsonLines<CheckMessage>(body)) {
      const { Progress, Finding, Summary, error } = message
      if (error !== undefined) throw new ExitError(1, error)
      if (Summary) unmended = Summary.Problems - Summary.Repaired
      if (Progress && showsProgress)
        await cli.stderr.write(`\r${Progress.What} ${Progress.Done}/${Progress.Total}\x1b[K`)
      if (!Finding && !Summary) continue
      if (showsProgress) await cli.stderr.write('\r\x1b[K')
      const shown = Finding ? formatFinding(Finding) : Summary ? formatSummary(Summary, flags.repair) : ''
      await cli.stdout.write(flags.format === 'json' ? `${JSON.stringify(message)}\n` : shown)
    }
    if (unmended === undefined) throw new ExitError(1, 'the check ended without a summary')
    return unmended === 0 ? 0 : 1
  },
})
