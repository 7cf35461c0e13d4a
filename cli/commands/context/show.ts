import { command } from '../../command.ts'

export const showCommand = command({
  usage: '',
  summary: 'Print the name of the context in use',
  flags: {},
  least: 0,
  most: 0,
  withoutEngine: true,
  async run({ contexts, stdout }) {
    await stdout.write(`${contexts.current}\n`)
    return 0
  },
})
