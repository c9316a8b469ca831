/** The texts of a submission's files by their paths, as `src/idle.ts`. */
export type SourceFiles = ReadonlyMap<string, string>
