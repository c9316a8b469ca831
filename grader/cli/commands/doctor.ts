/** `trapframe doctor`: which layers of confinement this machine has, what each protects from, how to get the others. */
import { execFileSync } from 'node:child_process'
import { type Command, Option } from 'commander'
import { detectConfinement } from '../../confine/detect.ts'
import {
  type ConfinementReport,
  LAYERS,
  type Layer,
  LEVELS,
  type Level,
  missingFor,
  PROTECTS,
  reachedLevel,
} from '../../confine/layer.ts'
import { EXIT_STATUS } from '../../failures.ts'
import { packageVersion } from '../../project-root.ts'
import type { Streams } from '../terminal.ts'

interface DoctorFlags {
  readonly json?: boolean
  readonly require?: Level
}

/** One layer as the doctor found it. */
interface LayerFound {
  readonly layer: Layer
  readonly state: 'yes' | 'no' | 'not needed'
  readonly protectsFrom: string
  readonly why?: string
  readonly get?: string
}

export function addDoctorCommand(
  program: Command,
  { out, err, setStatus }: Streams,
  detect: () => ConfinementReport = detectConfinement,
): void {
  program
    .command('doctor')
    .description('say how well this machine confines strangers’ code, and how to do better')
    .option('--json', 'print it as JSON')
    .addOption(new Option('--require <level>', 'end with status 1 below this level').choices(LEVELS))
    .addHelpText(
      'after',
      `
Levels:
  process   the student's code has a process of its own, under Node's permission model
  sandbox   besides: bubblewrap, our seccomp filter, prlimit, and nobody's uid where the grader is root

Exit status: 0; 1 when the machine is below the level that --require names, each missing layer said in a sentence.

Examples:
  trapframe doctor
  trapframe doctor --require sandbox`,
    )
    .action(({ json, require: required }: DoctorFlags) => {
      const report = detect()
      out.write(json === true ? asJson(report) : asText(report))
      if (required === undefined) return
      const missing = missingFor(report, required)
      for (const { layer, why, get } of missing) {
        err.write(`trapframe: The level "${required}" needs ${layer}, but ${why}: ${get}.\n`)
      }
      if (missing.length > 0) setStatus(EXIT_STATUS.notHeld)
    })
}

function findLayers(report: ConfinementReport): readonly LayerFound[] {
  return LAYERS.map((layer) => {
    const lacking = report.missing.find((missing) => missing.layer === layer)
    const state = lacking !== undefined ? 'no' : report.layers.includes(layer) ? 'yes' : 'not needed'
    const advice = lacking === undefined ? {} : { why: lacking.why, get: lacking.get }
    return { layer, state, protectsFrom: PROTECTS[layer], ...advice }
  })
}

function readTools() {
  return {
    trapframe: packageVersion(),
    node: process.version,
    git: gitVersion() ?? null,
    system: `${process.platform} ${process.arch}`,
  }
}

function gitVersion(): string | undefined {
  try {
    const said = execFileSync('git', ['--version'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })
    return /\d+(\.\d+)+/.exec(said)?.[0]
  } catch {
    return undefined
  }
}

function asJson(report: ConfinementReport): string {
  const document = { level: reachedLevel(report) ?? null, layers: findLayers(report), tools: readTools() }
  return `${JSON.stringify(document, null, 2)}\n`
}

function asText(report: ConfinementReport): string {
  const found = findLayers(report)
  const widths = { layer: widest(found.map(({ layer }) => layer)), state: widest(found.map(({ state }) => state)) }
  const indent = ' '.repeat(widths.layer + widths.state)
  const lines = found.flatMap(({ layer, state, protectsFrom, why, get }) => [
    `${layer.padEnd(widths.layer)}${state.padEnd(widths.state)}protects from: ${protectsFrom}`,
    ...(why === undefined ? [] : [`${indent}not here: ${why}`, `${indent}to get it: ${get}`]),
  ])
  const { trapframe, node, git, system } = readTools()
  return `${lines.join('\n')}

Level: ${reachedLevel(report) ?? 'none'} (of ${LEVELS.join(', ')}, weakest first)
trapframe ${trapframe}, Node ${node.slice(1)}, ${git === null ? 'no git: commits cannot be graded' : `git ${git}`}, ${system}
`
}

function widest(words: readonly string[]): number {
  return Math.max(...words.map((word) => word.length)) + 2
}
