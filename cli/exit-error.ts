/** An error with the exit status that Docker gives it; an empty message prints nothing. */
export class ExitError extends Error {
  override readonly name = 'ExitError'
  readonly status: number

  constructor(status: number, message = '', cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause })
    this.status = status
  }
}
