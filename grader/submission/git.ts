/**
 * Runs git on a repository that somebody else made. Only commands that read objects are given to it: none of them
 * looks at a work tree or an index, runs a hook or a filter, or fetches what is missing.
 */
import { execFile } from 'node:child_process'
import { WrongUse } from '../failures.ts'
import { SUBMISSION_LIMITS } from './limits.ts'

/** What git has of the world: no settings but the repository's own, and of those, none can start a program or a connection. */
const ENVIRONMENT = {
  GIT_CONFIG_NOSYSTEM: '1',
  GIT_CONFIG_GLOBAL: '/dev/null',
  GIT_ATTR_NOSYSTEM: '1',
  GIT_TERMINAL_PROMPT: '0',
  GIT_OPTIONAL_LOCKS: '0',
  GIT_NO_REPLACE_OBJECTS: '1',
  GIT_NO_LAZY_FETCH: '1',
  GIT_ALLOW_PROTOCOL: 'none',
  GIT_LITERAL_PATHSPECS: '1',
  GIT_ALLOC_LIMIT: String(SUBMISSION_LIMITS.gitBytes),
  LC_ALL: 'C',
}

const SETTINGS = [
  'core.fsmonitor=false',
  'core.hooksPath=/dev/null',
  'core.commitGraph=false',
  'core.multiPackIndex=false',
  'protocol.allow=never',
  'safe.directory=*',
].flatMap((setting) => ['-c', setting])

/**
 * What a git command prints; undefined when git says no, prints more than it may, or takes too long.
 *
 * @param gitFolder the absolute path of the `.git` folder; no other is looked for
 * @throws WrongUse when this machine has no git
 */
export function runGit(gitFolder: string, args: readonly string[]): Promise<Buffer | undefined> {
  const { PATH } = process.env
  return new Promise((resolve, reject) => {
    execFile(
      'git',
      ['--no-pager', `--git-dir=${gitFolder}`, ...SETTINGS, ...args],
      {
        cwd: gitFolder,
        env: { PATH, ...ENVIRONMENT },
        encoding: 'buffer',
        maxBuffer: SUBMISSION_LIMITS.gitOutputBytes,
        timeout: SUBMISSION_LIMITS.gitMs,
        killSignal: 'SIGKILL',
      },
      (error, stdout) => {
        if (error === null) resolve(stdout)
        else if (error.code === 'ENOENT')
          reject(new WrongUse('Reading a commit needs git, which this machine does not have.'))
        else resolve(undefined)
      },
    )
  })
}
