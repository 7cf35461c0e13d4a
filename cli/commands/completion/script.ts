import { type Command, command } from '../../command.ts'
import { completionScript, type Shell } from '../../completion/scripts.ts'

import { toggle } from '../../parsing/flag.ts'

export const bashCommand = scriptCommand('bash')
export const fishCommand = scriptCommand('fish')
export const zshCommand = scriptCommand('zsh')

function scriptCommand(shell: Shell): Command {
  return command({
    usage: '[OPTIONS]',
    summary: `Print what ${shell} reads to complete command lines`,
    flags: { noDescriptions: toggle('no-descriptions', 'Without what the words are about') },
    least: 0,
    most: 0,
    withoutEngine: true,
    async run({ stdout, program }, { flags }) {
      await stdout.write(completionScript(shell, program, { descriptions: !flags.noDescriptions }))
      return 0
    },
  })
}
