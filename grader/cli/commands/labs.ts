/** `trapframe labs`: the labs there are. */
import type { Command } from 'commander'
import type { LabSource } from '../labs.ts'
import type { Streams } from '../terminal.ts'

export function addLabsCommand(program: Command, labs: LabSource, { out }: Streams): void {
  program
    .command('labs')
    .description('list the labs')
    .option('--json', 'print them as JSON')
    .action(async ({ json }: { json?: boolean }) => {
      const all = await Promise.all(labs.list().map((id) => labs.load(id)))
      const rows = all.map(({ id, title, syllabus }) => ({ id, title, syllabus }))
      if (json === true) {
        out.write(`${JSON.stringify(rows, null, 2)}\n`)
        return
      }
      const width = (of: 'id' | 'title') => Math.max(0, ...rows.map((row) => row[of].length)) + 2
      for (const { id, title, syllabus } of rows) {
        out.write(`${id.padEnd(width('id'))}${title.padEnd(width('title'))}${syllabus}\n`)
      }
    })
}
