export interface BuildFacts {
  readonly version: string
  /** Empty when it runs from its sources. */
  readonly gitCommit: string
  /** RFC 3339; empty when it runs from its sources. */
  readonly buildTime: string
}

/** Put in by the bundler. */
declare const BERTH_BUILD: BuildFacts | undefined

/** What this build is. */
export const buildFacts: BuildFacts =
  typeof BERTH_BUILD === 'object' ? BERTH_BUILD : { version: '0.1.0', gitCommit: '', buildTime: '' }
