import { command } from '../../command.ts'
import { checkContextName, engineEndpoint, toContext, toTlsFiles } from '../../contexts/context.ts'
import { endpointFlag, toContextEndpoint } from '../../contexts/endpoint-flag.ts'
import { writeContext } from '../../contexts/write-context.ts'
import { text } from '../../parsing/flag.ts'
import { report } from './new-context.ts'

export const updateCommand = command({
  usage: '[OPTIONS] CONTEXT',
  summary: 'Change a context',
  flags: {
    description: text('description', 'What it is for'),
    docker: endpointFlag(),
  },
  least: 1,
  most: 1,
  withoutEngine: true,
  async run(cli, { flags: { description, docker }, args: [name = ''] }) {
    const { contexts, directory } = cli
    const before = contexts.read(checkContextName(name))
    const Metadata = { ...before.Metadata, ...(description !== '' && { Description: description }) }
    if (docker) {
      const endpoint = toContextEndpoint(docker, contexts, directory)
      const Endpoints = { ...before.Endpoints, ...toContext(name, endpoint).Endpoints }
      const { [engineEndpoint]: _replaced, ...others } = contexts.readTls(name)
      await writeContext(contexts.store, { ...before, Metadata, Endpoints }, { ...others, ...toTlsFiles(endpoint) })
    } else {
      await writeContext(contexts.store, { ...before, Metadata })
    }
    return await report(cli, name, 'updated')
  },
})
