/** What labs and starters may use of the grader. */
export type * from './drawing.ts'
export * from './lab.ts'
export * from './law.ts'
export * from './port.ts'
export * from './run-law.ts'
