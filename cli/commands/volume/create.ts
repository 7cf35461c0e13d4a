import { invalid } from '#base/errors.ts'
import type { Volume, VolumeCreateRequest } from '#contract/types.gen.ts'
import { command } from '../../command.ts'
import { checkLabel, toMap } from '../../options/key-value.ts'
import { list, text } from '../../parsing/flag.ts'

export const createCommand = command({
  usage: '[OPTIONS] [VOLUME]',
  summary: 'Make a volume',
  flags: {
    driver: text('driver', 'What keeps its data', { short: 'd', initial: 'local' }),
    label: list('label', 'A label, as name=value', { check: checkLabel }),
    name: text('name', 'Its name', { hidden: true }),
    option: list('opt', 'An option of the driver, as name=value', { short: 'o', word: 'map' }),
  },
  least: 0,
  most: 1,
  async run(cli, { flags, args: [name] }) {
    if (name !== undefined && flags.name !== '') {
      throw invalid('conflicting options: cannot specify a volume-name through both --name and as a positional arg')
    }
    const body: VolumeCreateRequest = {
      Driver: flags.driver,
      Name: name ?? flags.name,
      ...(flags.option.length > 0 && { DriverOpts: toMap(flags.option) }),
      ...(flags.label.length > 0 && { Labels: toMap(flags.label) }),
    }
    const { Name } = await cli.client.json<Volume>('POST', '/volumes/create', { body })
    await cli.stdout.write(`${Name}\n`)
    return 0
  },
})
