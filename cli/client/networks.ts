/** Path of a network by name or id. */
export function networkPath(name: string, verb: '' | '/connect' | '/disconnect' = ''): `/${string}` {
  return `/networks/${encodeURIComponent(name)}${verb}`
}
