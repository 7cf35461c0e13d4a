import { type ApiVersion, newestVersion, parseVersion } from '#contract/versions.ts'

/** The path without its version, and the version as it was written. */
export interface VersionedPath {
  readonly path: string
  readonly asked: string | undefined
}

/** `/v1.41/info` → `/info` and `1.41`. A path without version is the newest one's. */
export function splitVersion(path: string): VersionedPath {
  const match = /^\/v(\d[\d.]*)(\/.*)$/.exec(path)
  return match ? { path: match[2] ?? '/', asked: match[1] } : { path, asked: undefined }
}

/** @throws `invalid` in Docker's words when the version is not served */
export function resolveVersion(asked: string | undefined): ApiVersion {
  return asked === undefined ? newestVersion : parseVersion(asked)
}
