/**
 * Node's own modules, taken without their ESM face: making that face reads every lazy property of a module, which costs 4 ms
 * for node:fs alone, a tenth of a whole `berth ps`. Types come from `import type`.
 */
export const builtin = {
  get fs() {
    return process.getBuiltinModule('node:fs')
  },
  get net() {
    return process.getBuiltinModule('node:net')
  },
  get path() {
    return process.getBuiltinModule('node:path')
  },
  get tty() {
    return process.getBuiltinModule('node:tty')
  },
  get childProcess() {
    return process.getBuiltinModule('node:child_process')
  },
  get sea() {
    return process.getBuiltinModule('node:sea')
  },
}
