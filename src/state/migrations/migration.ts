/** One step of the schema. Once released, a migration never changes: a new one follows it. */
export interface Migration {
  /** 1, 2, 3, … without gaps. */
  readonly version: number
  readonly name: string
  readonly sql: string
}
