import { writeFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { invalid } from '#base/errors.ts'
import { command } from '../../command.ts'
import { fileProblem } from '../../config/read-named.ts'
import { packContext } from '../../contexts/archive.ts'
import { checkContextName, defaultName } from '../../contexts/context.ts'

export const exportCommand = command({
  usage: '[OPTIONS] CONTEXT [FILE|-]',
  summary: 'Write a context into a tar archive',
  flags: {},
  least: 1,
  most: 2,
  withoutEngine: true,
  async run({ contexts, stdout, stderr, directory }, { args: [name = '', target = `${name}.dockercontext`] }) {
    if (name !== defaultName) checkContextName(name)
    if (target === '-' && stdout.isTerminal) {
      throw invalid('cowardly refusing to export to a terminal, specify a file path')
    }
    const archive = packContext({ context: contexts.read(name), tls: contexts.readTls(name) })
    if (target === '-') {
      await stdout.write(archive)
      return 0
    }
    try {
      // It may hold a key: nobody else reads it, and nothing that is there is overwritten.
      await writeFile(resolve(directory, target), archive, { flag: 'wx', mode: 0o600 })
    } catch (error) {
      throw invalid(fileProblem(target, error), { cause: error })
    }
    await stderr.write(`Written file ${JSON.stringify(target)}\n`)
    return 0
  },
})
