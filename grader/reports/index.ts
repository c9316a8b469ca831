/** Views of the result document. */
export { renderHtml, type TitledResult } from './html.ts'
export { renderMarkdown } from './markdown.ts'
export { renderTerminal, type TerminalOptions } from './terminal.ts'
export { withoutCommands, workflowCommands } from './workflow-commands.ts'
