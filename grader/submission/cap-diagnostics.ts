/** Keeps what is said about a submission short, however much is wrong with it. */
import type { Diagnostic } from '../result/result.ts'
import { SUBMISSION_LIMITS } from './limits.ts'

/** The first diagnostics with their messages cut to size, and one more that counts the rest. */
export function capDiagnostics(diagnostics: readonly Diagnostic[]): Diagnostic[] {
  const kept = diagnostics.slice(0, SUBMISSION_LIMITS.diagnostics).map((diagnostic) => ({
    ...diagnostic,
    message: capMessage(diagnostic.message),
  }))
  const next = diagnostics[kept.length]
  return next === undefined ? kept : [...kept, { ...next, message: `… and ${diagnostics.length - kept.length} more` }]
}

function capMessage(message: string): string {
  const { messageCharacters } = SUBMISSION_LIMITS
  if (message.length <= messageCharacters) return message
  // Not between the two halves of a character.
  return `${message.slice(0, messageCharacters - 1).replace(/[\uD800-\uDBFF]$/, '')}…`
}
