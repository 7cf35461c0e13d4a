import type { Cli } from '../../cli.ts'
import { command } from '../../command.ts'
import { objectFormatHelp } from '../../output/format-flag.ts'
import { text } from '../../parsing/flag.ts'
import { showObjects } from '../system/show-objects.ts'

export const inspectCommand = command({
  usage: '[OPTIONS] [CONTEXT] [CONTEXT...]',
  summary: 'Show everything known of contexts',
  flags: { format: text('format', objectFormatHelp, { short: 'f' }) },
  least: 0,
  withoutEngine: true,
  async run(cli, { flags, args }) {
    const names = args.length === 0 ? [cli.contexts.current] : args
    return await showObjects(cli, names, {
      finders: [findContext],
      kind: 'context',
      format: flags.format,
      escapesHtml: true,
    })
  },
})

async function findContext({ contexts }: Cli, name: string): Promise<unknown> {
  const { Name, Metadata, Endpoints } = contexts.read(name)
  const TLSMaterial = Object.fromEntries(
    Object.entries(contexts.readTls(name)).map(([endpoint, files]) => [endpoint, Object.keys(files)]),
  )
  return { Name, Metadata, Endpoints, TLSMaterial, Storage: contexts.placeOf(name) }
}
