#!/usr/bin/env node
/** The command `trapframe`. */
import { createInterface } from 'node:readline/promises'
import { runCli } from './program.ts'

/** Asks the person at the terminal for a line; made at the first question, so that no other command touches stdin. */
function asker(): (() => Promise<string | undefined>) | undefined {
  if (!process.stdin.isTTY || !process.stdout.isTTY) return undefined
  return async () => {
    const lines = createInterface({ input: process.stdin, output: process.stdout })
    const ended = new Promise<undefined>((resolve) => lines.once('close', () => resolve(undefined)))
    const line = await Promise.race([lines.question(''), ended])
    lines.close()
    return line
  }
}

process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error
  process.exit()
})

const status = await runCli(process.argv.slice(2), {
  out: process.stdout,
  err: process.stderr,
  env: process.env,
  ask: asker(),
})
if (status !== 0) process.exitCode = status
