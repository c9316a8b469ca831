/**
 * The subject: the process that holds a student's code and nothing else. It answers the judge's frames, one at a time,
 * and never returns to an event loop; when the judge's end of the pipe closes, it ends.
 */
import { createRequire } from 'node:module'
import { FramePipe } from './frames.ts'
import { openRealm } from './realm.ts'

/** The descriptors that the judge hands over: frames come in on one and go out on the other. */
const INPUT = 3
const OUTPUT = 4

/** What the judge sends to be loaded. */
interface Load {
  readonly bridge: string
  readonly code: string
  readonly operations: readonly string[]
  readonly modules: readonly string[]
}

/** The number of the judge's turn that is to be answered. */
let turn = 0
const pipe = new FramePipe(INPUT, OUTPUT, Number.MAX_SAFE_INTEGER)

/** Carries an operation to the judge and waits for the reply. */
const ask = (text: string): string => {
  pipe.write('O', turn, text)
  const reply = pipe.read()
  turn = reply.turn
  return reply.text
}

function load({ bridge, code, operations, modules }: Load): (request: string) => unknown {
  if (modules.length === 0) return openRealm({ bridge, code, operations }, ask)
  const require = createRequire('/')
  const granted = Object.fromEntries(modules.map((name) => [name, require(name) as object]))
  return openRealm({ bridge, code, operations, modules: granted }, ask)
}

/** What the realm gave; a text that is no outcome stands for anything else. */
function answer(respond: (request: string) => unknown, request: string): string {
  try {
    const text = respond(request)
    return typeof text === 'string' ? text : ''
  } catch {
    return ''
  }
}

let respond: (request: string) => unknown = () => ''
try {
  for (;;) {
    const { kind, text, turn: asked } = pipe.read()
    turn = asked
    if (kind === 'L') {
      respond = load(JSON.parse(text) as Load)
      pipe.write('L', turn, '')
    } else {
      const outcome = answer(respond, text)
      pipe.write('C', turn, outcome)
    }
  }
} catch {
  process.exit(0)
}
