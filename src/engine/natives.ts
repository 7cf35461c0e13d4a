/** Where the parts that are not TypeScript lie; src/packaging finds them, in the binary or in a source tree. */
export interface Natives {
  /** libberth.so */
  readonly library: string
  readonly shim: string
  readonly unpack: string
  readonly runtime: string
  /** Asks ports of containers. */
  readonly probe: string
  /** Process 1 of containers that ask for one. */
  readonly init: string
  /** OCI layout directory of the image `berth/hello`; it may be missing in a source tree. */
  readonly hello?: string
  /** The FFI package's exports, where it cannot be imported by name. */
  readonly koffi?: unknown
}
