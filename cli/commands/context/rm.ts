import { conflict, invalid, notFound } from '#base/errors.ts'
import { command } from '../../command.ts'
import { changeConfig } from '../../config/change-config.ts'
import { defaultName } from '../../contexts/context.ts'
import { removeContext } from '../../contexts/write-context.ts'
import { forEach } from '../../for-each.ts'
import { toggle } from '../../parsing/flag.ts'

export const rmCommand = command({
  usage: 'CONTEXT [CONTEXT...]',
  summary: 'Remove contexts',
  flags: { force: toggle('force', 'Also the one in use; one that is not there is no error', { short: 'f' }) },
  least: 1,
  withoutEngine: true,
  async run(cli, { flags: { force }, args }) {
    const { contexts, configDirectory } = cli
    const { current, store } = contexts
    return await forEach(cli, args, async (name) => {
      if (name === defaultName) throw invalid('context "default" cannot be removed')
      const quoted = JSON.stringify(name)
      if (name === current) {
        if (!force) throw conflict(`context ${quoted} is in use, set -f flag to force remove`)
        await changeConfig(configDirectory, ({ currentContext: _gone, ...config }) => config)
      }
      if (!force && !store.has(name)) throw notFound(`context ${quoted} does not exist`)
      await removeContext(store, name)
      return name
    })
  },
})
