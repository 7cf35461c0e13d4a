import { invalid } from '#base/errors.ts'

/** `["a", "b"]` is run as it is, everything else by a shell: then there is one word, or none. */
export interface CommandForm {
  readonly form: 'exec' | 'shell'
  readonly words: readonly string[]
}

/** @throws `invalid` for an array of something else than strings, in Docker's words */
export function commandWords(text: string): CommandForm {
  const array = parseArray(text)
  if (array === undefined) return { form: 'shell', words: text === '' ? [] : [text] }
  if (!array.every((word) => typeof word === 'string')) {
    throw invalid('when using JSON array syntax, arrays must be comprised of strings only')
  }
  return { form: 'exec', words: array }
}

function parseArray(text: string): unknown[] | undefined {
  if (!text.startsWith('[')) return undefined
  try {
    const value: unknown = JSON.parse(text)
    return Array.isArray(value) ? value : undefined
  } catch (error) {
    // Anything that is no JSON is for the shell.
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}
