import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['{reference,guests,assignments,grader,bench}/**/*.test.ts'],
    // Threads, not processes: V8's coverage, which c8 reads, survives the end of a thread.
    pool: 'threads',
    testTimeout: 120_000,
    hookTimeout: 120_000,
  },
})
