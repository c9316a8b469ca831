/** Views of the result document. */
export { renderHtml } from './html.ts'
export { renderMarkdown } from './markdown.ts'
export { renderTerminal } from './terminal.ts'
export { workflowCommands } from './workflow-commands.ts'
