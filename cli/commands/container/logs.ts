import { invalid, isKind, messageOf } from '#base/errors.ts'
import type { Cli } from '../../cli.ts'
import { containerPath, inspectContainer } from '../../client/containers.ts'
import { command } from '../../command.ts'
import { toTimestamp } from '../../options/timestamp.ts'
import { text, toggle } from '../../parsing/flag.ts'
import { FrameDecoder, mergeFrames } from '../../terminal/frames.ts'

const when = 'this time (2026-01-02T03:04:05Z) or so long ago (42m)'

export const logsCommand = command({
  usage: '[OPTIONS] CONTAINER',
  summary: 'Show what a container has written',
  flags: {
    details: toggle('details', 'Show what the log driver kept beside the lines'),
    follow: toggle('follow', 'Go on with what comes', { short: 'f' }),
    since: text('since', `Begin at ${when}`),
    tail: text('tail', 'Lines from the end, or all', { short: 'n', initial: 'all' }),
    timestamps: toggle('timestamps', 'Put the time in front of every line', { short: 't' }),
    until: text('until', `End at ${when}`),
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
        since: momentOf('since', flags.since, now),
        until: momentOf('until', flags.until, now),
      },
    })
    await copy(cli, body, Config.Tty ?? false)
    return 0
  },
})

/** @throws `invalid` naming the flag */
function momentOf(flag: string, value: string, nowMs: number): string | undefined {
  try {
    return toTimestamp(value, nowMs)
  } catch (error) {
    throw invalid(`invalid value for "${flag}": ${messageOf(error)}`, { cause: error })
  }
}

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
