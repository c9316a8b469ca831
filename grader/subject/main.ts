/**
 * The subject: the process that holds a student's code and nothing else. It answers the judge's frames, one at a time,
 * and never returns to an event loop; when the judge's end of the pipe closes, it ends.
 */
import { FramePipe } from './frames.ts'
import { openRealm, type RealmParts } from './realm.ts'

/** The descriptors that the judge hands over: frames come in on one and go out on the other. */
const INPUT = 3
const OUTPUT = 4

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
      respond = openRealm(JSON.parse(text) as RealmParts, ask)
      pipe.write('L', turn, '')
    } else {
      const outcome = answer(respond, text)
      pipe.write('C', turn, outcome)
    }
  }
} catch {
  process.exit(0)
}
