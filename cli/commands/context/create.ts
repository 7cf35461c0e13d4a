import { invalid } from '#base/errors.ts'
import { command } from '../../command.ts'
import { defaultDescription, defaultName, toContext, toTlsFiles } from '../../contexts/context.ts'
import { endpointFlag, toContextEndpoint } from '../../contexts/endpoint-flag.ts'
import { writeContext } from '../../contexts/write-context.ts'
import { text } from '../../parsing/flag.ts'
import { checkNewName, report } from './new-context.ts'

export const createCommand = command({
  usage: '[OPTIONS] CONTEXT',
  summary: 'Make a context',
  flags: {
    description: text('description', 'What it is for'),
    docker: endpointFlag(),
    from: text('from', 'Make it as another context is'),
  },
  least: 1,
  most: 1,
  withoutEngine: true,
  async run(cli, { flags: { description, docker, from }, args: [name = ''] }) {
    const { contexts, directory } = cli
    checkNewName(contexts, name)
    if (from !== '' && docker) throw invalid('cannot use --docker flag when --from is set')
    const metadata = description === '' ? {} : { Description: description }
    if (docker) {
      const endpoint = toContextEndpoint(docker, contexts, directory)
      await writeContext(contexts.store, toContext(name, endpoint, metadata), toTlsFiles(endpoint))
    } else {
      const source = from === '' ? contexts.current : from
      const standing = source === defaultName ? { Description: defaultDescription } : {}
      const context = contexts.read(source)
      const described = { ...context.Metadata, ...standing, ...metadata }
      await writeContext(contexts.store, { ...context, Name: name, Metadata: described }, contexts.readTls(source))
    }
    return await report(cli, name, 'created')
  },
})
