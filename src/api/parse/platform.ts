import { invalid } from '#base/errors.ts'

/** `os[/arch[/variant]]` as it came; undefined when absent.   @throws `invalid` in Docker's words */
export function checkPlatform(text: string | undefined): string | undefined {
  if (text === undefined) return undefined
  const parts = text.split('/')
  if (parts.length > 3) throw invalid(`${JSON.stringify(text)}: cannot parse platform specifier: invalid argument`)
  if (!parts.every((part) => /^[A-Za-z0-9_.-]+$/.test(part))) {
    throw invalid(
      `${JSON.stringify(text)}: invalid platform specifier: each part is letters, digits, dots, dashes and underscores: invalid argument`,
    )
  }
  return text
}
