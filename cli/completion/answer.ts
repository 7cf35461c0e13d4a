import type { Cli } from '../cli.ts'
import { complete } from './complete.ts'

/** The hidden commands that a shell's script asks; docker's scripts ask the same. */
export const completionRequests = ['__complete', '__completeNoDesc']

const failed = 1
const noFiles = 4

/**
 * One candidate a line, with what it is about behind a tab, then `:` and what the shell shall do: 1 nothing at all, 4 no files. As
 * the completions of docker are asked and answered.
 */
export async function answerCompletion(cli: Cli, request: string, words: readonly string[]): Promise<number> {
  const typed = (words.at(-1) ?? '').replace(/^--?[^=]*=/, '')
  try {
    const { candidates, files } = await complete(cli, words)
    const fitting = candidates.filter(({ word }) => word.startsWith(typed))
    const lines = fitting.map(({ word, about = '' }) =>
      request === '__completeNoDesc' || about === '' ? word : `${word}\t${about}`,
    )
    await cli.stdout.write([...lines, `:${files ? 0 : noFiles}`, ''].join('\n'))
  } catch {
    // Whoever presses a key wants no error in the middle of the line.
    await cli.stdout.write(`:${failed}\n`)
  }
  return 0
}
