/** Writes a starter repository: in a temporary folder beside its place, with one commit, then moved there whole. */
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmdirSync,
  rmSync,
  statSync,
} from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import { simpleGit } from 'simple-git'
import { WrongUse } from '../failures.ts'
import { reasonOf, writeTree } from '../files.ts'
import { PLATFORM_FOLDER } from '../submission/layout.ts'

const READ_ONLY = 0o444
/** The same starter is the same commit wherever it is made. */
const AUTHOR = { name: 'Trapframe', email: 'starter@trapframe.invalid', date: '2026-09-01T00:00:00Z' }

/** @throws WrongUse when `out` exists and is not an empty folder, or cannot be made */
export async function writeStarter(files: ReadonlyMap<string, string>, out: string, message: string): Promise<void> {
  const target = resolve(out)
  requireFree(target, out)
  let making: string
  try {
    mkdirSync(dirname(target), { recursive: true })
    making = mkdtempSync(join(dirname(target), `.${basename(target)}-`))
  } catch (error) {
    throw new WrongUse(`Cannot make ${out}: ${reasonOf(error)}.`)
  }
  try {
    writeTree(making, files)
    for (const path of files.keys()) {
      if (path.startsWith(`${PLATFORM_FOLDER}/`)) chmodSync(join(making, path), READ_ONLY)
    }
    await commitAll(making, message)
    chmodSync(making, 0o755)
    if (existsSync(target)) rmdirSync(target)
    renameSync(making, target)
  } catch (error) {
    rmSync(making, { recursive: true, force: true })
    throw error
  }
}

function requireFree(target: string, named: string): void {
  if (!existsSync(target)) return
  if (!statSync(target).isDirectory()) throw new WrongUse(`${named} is a file: name a new folder with --out.`)
  if (readdirSync(target).length > 0) {
    throw new WrongUse(`${named} is not empty: name a new folder with --out, or empty that one first.`)
  }
}

/** One commit, whatever the user's own git is set to. */
async function commitAll(folder: string, message: string): Promise<void> {
  const { PATH = '' } = process.env
  const environment = {
    PATH,
    HOME: folder,
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_AUTHOR_NAME: AUTHOR.name,
    GIT_AUTHOR_EMAIL: AUTHOR.email,
    GIT_AUTHOR_DATE: AUTHOR.date,
    GIT_COMMITTER_NAME: AUTHOR.name,
    GIT_COMMITTER_EMAIL: AUTHOR.email,
    GIT_COMMITTER_DATE: AUTHOR.date,
  }
  const git = simpleGit({ baseDir: folder, allowEnvironment: Object.keys(environment) }).env(environment)
  await git.raw('init', '--quiet', '--initial-branch=main')
  await git.raw('add', '--all')
  await git.raw('commit', '--quiet', '--message', message)
}
