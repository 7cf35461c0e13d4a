import type { Reference } from '#oci/reference.ts'

export interface RegistryAuth {
  readonly username?: string
  readonly password?: string
  readonly identityToken?: string
  readonly registryToken?: string
  readonly serverAddress?: string
}

export interface PullRequest {
  /** With tag or digest, unless `allTags`. */
  readonly reference: Reference
  readonly allTags: boolean
  /** `linux/arm64`; undefined: this machine's. */
  readonly platform: string | undefined
  readonly auth: RegistryAuth | undefined
}

/** One line of Docker's pull stream: a whole-pull status, or one of a layer (id of twelve digits). */
export interface PullProgress {
  readonly status: string
  readonly id?: string
  readonly detail?: { readonly current?: number; readonly total?: number }
}
