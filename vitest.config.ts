import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['{reference,guests,assignments,grader,bench}/**/*.test.ts'],
    testTimeout: 120_000,
    hookTimeout: 120_000,
  },
})
