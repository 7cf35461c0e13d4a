import { isKind } from '#base/errors.ts'
import type { Cli } from '../../cli.ts'
import { containerPath, inspectContainer } from '../../client/containers.ts'
import { command } from '../../command.ts'
import { toTimestamp } from '../../options/timestamp.ts'
import { text, toggle } from '../../parsing/flag.ts'
import { FrameDecoder, mergeFrames } from '../../terminal/frames.ts'

const when = 'timestamp (e.g. "2013-01-02T13:23:37Z") or relative (e.g. "42m" for 42 minutes)'

export const logsCommand = command({
  usage: '[OPTIONS] CONTAINER',
  summary: 'Fetch the logs of a container',
  flags: {
    details: toggle('details', 'Show extra details provided to logs'),
    follow: toggle('follow', 'Follow log output', { short: 'f' }),
    since: text('since', `Show logs since ${when}`),
    tail: text('tail', 'Number of lines to show from the end of the logs', { short: 'n', initial: 'all' }),
    timestamps: toggle('timestamps', 'Show timestamps', { short: 't' }),
    until: text('until', `Show logs before a ${when}`),
  },
  least: 1,
  most: 1,
  async run(cli, { flags, args: [name = ''] }) {
    const { Id, Config } = await inspectContainer(cli.client, name)
    const now = Date.now()
    const { body } = await cli.client.stream('GET', containerPath(Id, '/logs'), {
      query: {
        stdout: true,
        stderr: true,
        follow: flags.follow,
        timestamps: flags.timestamps,
        details: flags.details,
        tail: flags.tail,
        since: toTimestamp(flags.since, now),
        until: toTimestamp(flags.until, now),
      },
    })
    await copy(cli, body, Config.Tty ?? false)
    return 0
  },
})

async function copy(cli: Cli, body: AsyncIterable<Buffer>, tty: boolean): Promise<void> {
  const decoder = new FrameDecoder()
  try {
    for await (const chunk of body) {
      if (tty) await cli.stdout.write(chunk)
      else {
        for (const { stream, payload } of mergeFrames(decoder.push(chunk)))
          await (stream === 1 ? cli.stdout : cli.stderr).write(payload)
      }
      if (cli.stdout.closed) return
    }
  } catch (error) {
    if (isKind(error, 'internal') && cli.stdout.closed) return
    throw error
  }
}
