/** The API's path of one volume. */
export function volumePath(name: string): string {
  return `/volumes/${encodeURIComponent(name)}`
}
