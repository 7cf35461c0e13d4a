import { defineConfig } from 'vitest/config'

/** npm run test:native: what a host with nothing but cgroup v2 can do differently. In the emulated machine code runs 10 to 30 times slower. */
export default defineConfig({
  test: {
    name: 'cgroup2',
    include: [
      'test/native/runtime/container.test.ts',
      'test/native/runtime/command.test.ts',
      'test/native/shim.test.ts',
    ],
    testTimeout: 300_000,
    hookTimeout: 300_000,
    pool: 'forks',
    // As package.json starts vitest: V8's compiling threads trip over each other on emulated processors (test/support/emulated-node.ts).
    execArgv: ['--single-threaded'],
    fileParallelism: false,
  },
})
