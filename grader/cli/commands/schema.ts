/** `trapframe schema`: the JSON schema of the result document. */
import type { Command } from 'commander'
import { resultJsonSchema } from '../../result/json-schema.ts'
import type { Streams } from '../terminal.ts'

export function addSchemaCommand(program: Command, { out }: Streams): void {
  program
    .command('schema')
    .description('print the JSON schema of result.json')
    .action(() => void out.write(resultJsonSchema()))
}
