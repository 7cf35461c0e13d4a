/**
 * Node, for a shell in `cgroup2-vm`. V8's compiling threads trip over each other on emulated processors: a start in ten ended in a failed check
 * of V8, or a segmentation fault.
 */
export const emulatedNode = `'${process.execPath}' --single-threaded`
