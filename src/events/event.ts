/** What happened, as Docker's events tell it. Actions may carry details after a colon: `exec_start: sh`. */
export interface EngineEvent {
  readonly type: 'container' | 'image' | 'network' | 'volume' | 'daemon' | 'builder'
  readonly action: string
  readonly actor: {
    /** The container's id, the image's id or reference, … */
    readonly id: string
    readonly attributes: Readonly<Record<string, string>>
  }
  /** Nanoseconds since 1970. */
  readonly time: bigint
}
