/**
 * The in-process transport of a port: calls go straight to the student's object, for `npm test` and the debugger.
 *
 * It behaves as every other transport: both ways only plain data crosses, checked by the port's schemas, and whatever
 * the student's code throws comes back as a `SubjectError`. A call costs about a microsecond.
 */
import type { Connect, Port } from '../contract/port.ts'
import { connectThrough } from './client.ts'
import { Instances, type Operations } from './instances.ts'
import { plainCopy } from './plain-data.ts'

/**
 * Connects a port to the objects that `create` makes.
 *
 * @param create makes one fresh instance of the student's side; called at each connect
 */
export function connectInProcess<Events extends object>(
  port: Port<Events, object>,
  create: (operations: Operations) => unknown,
): Connect<Events> {
  const instances = new Instances(create, Object.keys(port.operations))
  const transport = {
    make: instances.make.bind(instances),
    call: (id: number, method: string, args: readonly unknown[], wantsAnswer: boolean) =>
      instances.call(id, method, plainCopy(args) as unknown[], wantsAnswer),
  }
  return connectThrough(port, transport, firstSourceFrame)
}

const SOURCE_FRAME = /(?:^|[\\/ (])(src[\\/][\w.-]+\.ts):(\d+):\d+/m

/** The first frame in a folder `src`, its line as it stands there. */
function firstSourceFrame(stack: string): string | undefined {
  const found = SOURCE_FRAME.exec(stack)
  return found === null ? undefined : `${found[1]!.replace('\\', '/')}:${found[2]}`
}
