/**
 * What the shim's face asks of the kernel; all calls return at once. `{ ...openSockets(library), ...openProcesses(library) }`
 * of #runtime is one.
 */
export interface ShimKernel {
  /** Two ends of a stream, non-blocking. */
  socketPair(): readonly [number, number]
  connect(path: string): number
  /** One frame, whole, with descriptors.   @throws `EAGAIN` (its code) while the peer does not read. */
  send(socket: number, frame: Uint8Array, descriptors: readonly number[]): void
  close(descriptor: number): void
  /** A copy of a descriptor of another process.   @param startTime field 22 of /proc/PID/stat   @throws `not-found` when it has ended. */
  fetchDescriptor(pid: number, startTime: bigint, descriptor: number): number
  /** @returns the pid; descriptor 3 of the new process is `control`. */
  spawnShim(executable: number, control: number, logDescriptor: number): number
  /** True when the child was reaped, now or before. */
  reap(pid: number): boolean
  /** The process that holds the POSIX record lock on the file. */
  lockHolder(path: string): number | undefined
  /** @param startTime field 22 of /proc/PID/stat   @throws `not-found` when that process has ended. */
  signal(pid: number, startTime: bigint, signal: number): void
}
