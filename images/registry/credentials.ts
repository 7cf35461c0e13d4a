import type { RegistryAuth } from '../transfer/progress.ts'

/** What a client gave us to show to a registry: never printed, never logged. */
export type Credentials =
  | { readonly kind: 'none' }
  | { readonly kind: 'password'; readonly username: string; readonly password: string }
  /** An OAuth2 refresh token from `docker login`. */
  | { readonly kind: 'refresh-token'; readonly token: string }
  /** A bearer token to be sent as it is. */
  | { readonly kind: 'bearer'; readonly token: string }

/** The strongest of what X-Registry-Auth holds. */
export function credentialsOf(auth: RegistryAuth | undefined): Credentials {
  if (auth?.registryToken) return { kind: 'bearer', token: auth.registryToken }
  if (auth?.identityToken) return { kind: 'refresh-token', token: auth.identityToken }
  if (auth?.username) return { kind: 'password', username: auth.username, password: auth.password ?? '' }
  return { kind: 'none' }
}

export function basicAuthorization({ username, password }: { username: string; password: string }): string {
  return `Basic ${Buffer.from(`${username}:${password}`, 'utf8').toString('base64')}`
}
