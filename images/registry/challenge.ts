/** One way to authenticate that a 401 answer offers. @see RFC 9110 §11.6.1 */
export interface Challenge {
  /** In lower case: `basic`, `bearer`. */
  readonly scheme: string
  /** Names in lower case. */
  readonly parameters: Readonly<Record<string, string>>
}

const token = /[!#$%&'*+\-.^_`|~0-9A-Za-z]+/y
const maxLength = 8192

/** Reads WWW-Authenticate, which may list several challenges; what cannot be read ends the list. */
export function parseChallenges(header: string): readonly Challenge[] {
  const text = header.slice(0, maxLength)
  const challenges: { scheme: string; parameters: Record<string, string> }[] = []
  let at = 0
  const skip = (pattern: RegExp) => {
    pattern.lastIndex = at
    at += pattern.exec(text)?.[0].length ?? 0
  }
  const next = (pattern: RegExp): string | undefined => {
    pattern.lastIndex = at
    const found = pattern.exec(text)?.[0]
    at += found?.length ?? 0
    return found
  }
  for (;;) {
    skip(/[\s,]*/y)
    const word = next(token)
    if (word === undefined) return challenges
    const current = challenges.at(-1)
    if (next(/\s*=\s*/y) === undefined) {
      challenges.push({ scheme: word.toLowerCase(), parameters: {} })
    } else {
      const quoted = next(/"(?:[^"\\]|\\.)*"/y)
      const value = quoted === undefined ? next(token) : quoted.slice(1, -1).replace(/\\(.)/g, '$1')
      if (current === undefined || value === undefined) return challenges
      current.parameters[word.toLowerCase()] = value
    }
  }
}
