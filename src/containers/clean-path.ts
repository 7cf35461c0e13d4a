/** Without `.`, doubled and trailing slashes; `..` never passes validation. */
export function clean(path: string): string {
  return `/${path
    .split('/')
    .filter((part) => part !== '' && part !== '.')
    .join('/')}`
}
