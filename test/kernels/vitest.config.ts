/** The tests of this folder take minutes and need the network, so that `npm test` leaves them out. */
import { defineConfig } from 'vitest/config'

const LONGEST_TEST_MS = 1_800_000

export default defineConfig({
  test: { include: ['test/kernels/*.test.ts'], testTimeout: LONGEST_TEST_MS, hookTimeout: LONGEST_TEST_MS },
})
