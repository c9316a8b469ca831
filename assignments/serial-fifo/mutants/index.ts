/** Known-wrong back ends: each a small edit of the solution, with what its author believed. */
import { type Mutant, mutantsOf } from '../../../grader/contract/lab.ts'
import type { Variant } from '../public/variant.ts'

const BACKEND = 'reference/io/fifo-backend.ts'
const FRAMING = 'reference/io/fifo-framing.ts'
const FILES = 'reference/io/host-files.ts'

const mutant = mutantsOf<Variant>(BACKEND)

const pair = ({ wiring }: Variant) => wiring === 'pair'
const duplex = ({ wiring }: Variant) => wiring === 'duplex'
const keeps = ({ unplugged }: Variant) => unplugged === 'keep'
const discards = ({ unplugged }: Variant) => unplugged === 'discard'
const framed = ({ framing }: Variant) => framing !== 'raw'
const escaped = ({ framing }: Variant) => framing === 'escaped'
const packets = ({ framing }: Variant) => framing === 'packets'

const TAKES = "      this.#taken(written === 'EAGAIN' ? 0 : written)\n"
const ACCEPTS = '    const taken = Math.min(bytes.length, this.#room)\n'
const QUEUES = '    if (taken > 0) this.#outgoing.push(...encode(bytes.subarray(0, taken)))\n'
const WRITE_INTERRUPTED = "      if (written === 'EINTR') continue\n"
const LOST_READER = '        this.#lostReader()\n'
const END_OF_FILE = '        this.#decoder.pending = []\n        this.#openInput()\n        return\n'
const EXPECTED = "new Set(['EAGAIN', 'EINTR', 'EPIPE', 'ENXIO', 'ENOENT', 'EACCES'])"

export const mutants: readonly Mutant[] = [
  mutant('short-write-ignored', 'sending', 'write writes what it is given.', [
    [TAKES, "      this.#taken(written === 'EAGAIN' ? 0 : offered.length)\n"],
  ]),
  mutant('sends-again-from-the-start', 'sending', 'A write that was cut short is made again.', [
    [TAKES, '      this.#taken(written === offered.length ? written : 0)\n'],
  ]),
  mutant('eagain-is-success', 'sending', 'EAGAIN is no error, so the bytes have gone.', [
    [TAKES, "      this.#taken(written === 'EAGAIN' ? offered.length : written)\n"],
  ]),
  mutant('eintr-is-success', 'sending', 'A signal came after the write, so the bytes have gone.', [
    [
      WRITE_INTERRUPTED,
      "      if (written === 'EINTR') {\n        this.#taken(offered.length)\n        break\n      }\n",
    ],
  ]),
  mutant('eintr-gives-up', 'sending', 'A signal in the middle: better not to insist.', [
    [WRITE_INTERRUPTED, "      if (written === 'EINTR') break\n"],
  ]),
  mutant('waits-for-the-other-end', 'sending', 'Opening a pipe takes as long as it takes.', [
    ['this.#files.open(path, access, true)', 'this.#files.open(path, access, false)'],
  ]),
  mutant('asks-until-it-goes', 'sending', 'EAGAIN means: again.', [
    ['      if (this.#blocked) break\n', ''],
    ["      this.#blocked = written === 'EAGAIN' || written < offered.length\n", ''],
  ]),
  mutant('flushes-when-half-full', 'sending', 'A flush with a few bytes is not worth a call.', [
    [
      '    if (!this.#blocked) this.#drain()\n    this.#resume()\n',
      '    if (!this.#blocked && this.#room < FIFO_VARIANT.capacity / 2) this.#drain()\n    this.#resume()\n',
    ],
  ]),
  mutant(
    'oldest-goes',
    'sending',
    'When the ring is full, the oldest byte is of the least interest; QEMU does so, too.',
    [
      [
        ACCEPTS,
        `    while (bytes.length > this.#room && this.#outgoing.length > 0) {\n      this.#waiting -= this.#outgoing.shift()!.guestBytes\n    }\n${ACCEPTS}`,
      ],
    ],
  ),
  mutant('no-zeros', 'sending', 'A zero is the end of a string and no character.', [
    ['encode(bytes.subarray(0, taken))', 'encode(bytes.subarray(0, taken).filter((byte) => byte !== 0))'],
    [
      '    this.#waiting += taken\n',
      '    this.#waiting += bytes.subarray(0, taken).filter((byte) => byte !== 0).length\n',
    ],
  ]),
  mutant('seven-bits', 'receiving', 'A serial line carries ASCII.', [
    ['this.#machine.receive(bytes)\n', 'this.#machine.receive(bytes.map((byte) => byte & 0x7f))\n'],
  ]),
  mutant('always-ready', 'pressure', 'The transmitter is empty: whatever it offers has been sent.', [
    [
      '    if (this.#waiting >= ENOUGH && !this.#blocked) this.#drain()\n    return taken\n',
      '    return bytes.length\n',
    ],
  ]),
  mutant('no-limit', 'pressure', 'Memory is cheap, and an array grows.', [
    [ACCEPTS, '    const taken = bytes.length\n'],
  ]),
  mutant('all-or-nothing', 'pressure', 'An offer is taken whole, or the guest offers it again.', [
    [ACCEPTS, '    const taken = bytes.length <= this.#room ? bytes.length : 0\n'],
  ]),
  mutant('one-place-free', 'pressure', 'A ring that is full looks like an empty one, so one place stays free.', [
    ['FIFO_VARIANT.capacity - this.#waiting', 'FIFO_VARIANT.capacity - 1 - this.#waiting'],
  ]),
  mutant('never-resumes', 'pressure', 'The guest will try again by itself.', [
    ['    this.#refused = false\n    this.#machine.resume()\n', '    this.#refused = false\n'],
  ]),
  mutant(
    'resumes-at-one',
    'pressure',
    'Room for one byte is room.',
    [['this.#room < FIFO_VARIANT.resumeAt', 'this.#room < 1']],
    ({ resumeAt, unplugged }) => resumeAt > 1 && unplugged === 'keep',
  ),
  mutant('resumes-when-empty', 'pressure', 'THRE means empty, so the guest goes on when everything has gone.', [
    ['this.#room < FIFO_VARIANT.resumeAt', 'this.#waiting > 0'],
  ]),
  mutant('resumes-on-alarm-only', 'pressure', 'Notices are about descriptors, and the transmitter is none.', [
    [
      '      if (fd === this.#in?.fd && (readable || hangup)) this.#fill()\n    }\n    this.#resume()\n',
      '      if (fd === this.#in?.fd && (readable || hangup)) this.#fill()\n    }\n',
    ],
    ['    if (!this.#blocked) this.#drain()\n    this.#resume()\n', '    if (!this.#blocked) this.#drain()\n'],
  ]),
  mutant('reads-all-there-is', 'pressure', 'What has been read cannot be lost in the pipe.', [
    ['    while (this.#arrived.length === 0 && this.#in !== undefined) {\n', '    while (this.#in !== undefined) {\n'],
    [
      '      this.#arrived = this.#decoder.decode(bytes)\n',
      '      this.#arrived.push(...this.#decoder.decode(bytes))\n',
    ],
    ['    const wants = this.#arrived.length === 0\n', '    const wants = this.#arrived.length < 1_000_000\n'],
  ]),
  mutant('guest-takes-all', 'receiving', 'What is handed to the guest has been taken.', [
    [
      '      this.#arrived.splice(0, taken)\n      if (taken < bytes.length) return\n',
      '      this.#arrived.splice(0, Math.max(taken, bytes.length))\n',
    ],
  ]),
  mutant('hands-over-again', 'receiving', 'If the guest did not take everything, it gets it again.', [
    [
      '      this.#arrived.splice(0, taken)\n      if (taken < bytes.length) return\n',
      '      if (taken < bytes.length) return\n      this.#arrived.splice(0, taken)\n',
    ],
  ]),
  mutant('one-byte-a-time', 'receiving', 'When there is room again, one byte can go.', [
    [
      '    this.#deliver()\n    this.#watch()\n',
      '    if (this.#arrived.length > 0 && this.#arrived[0] !== BREAK) this.#machine.receive(Uint8Array.of(this.#arrived.shift()!))\n    this.#watch()\n',
    ],
  ]),
  mutant('end-of-file-is-the-end', 'receiving', 'Whoever closes a pipe will not come back.', [
    [END_OF_FILE, '        this.#machine.watch(this.#in.fd, false, false)\n        return\n'],
  ]),
  mutant('end-of-file-is-nothing', 'receiving', 'No bytes have come, so there is nothing to do.', [
    [END_OF_FILE, '        break\n'],
  ]),
  mutant(
    'broken-pipe-loses',
    'ends',
    'Nobody reads, so nobody misses it.',
    [[LOST_READER, `        this.#outgoing = []\n        this.#waiting = 0\n${LOST_READER}`]],
    keeps,
  ),
  mutant(
    'keeps-for-later',
    'ends',
    'Somebody will want to read this some day.',
    [["    if (FIFO_VARIANT.unplugged === 'discard') {\n", '    if (FIFO_VARIANT.capacity === 0) {\n']],
    discards,
  ),
  mutant(
    'never-looks-again',
    'ends',
    'A pipe without a reader has no use.',
    [['      this.#machine.alarm()\n', '']],
    ({ wiring, unplugged }) => wiring === 'pair' && unplugged === 'keep',
  ),
  mutant(
    'escape-not-doubled',
    'wire',
    'Only breaks need the escape.',
    [['byte === escapeByte ? Uint8Array.of(escapeByte, escapeByte) : Uint8Array.of(byte)', 'Uint8Array.of(byte)']],
    escaped,
    FRAMING,
  ),
  mutant(
    'sequences-come-whole',
    'wire',
    'One read, one message.',
    [['    const { framing } = FIFO_VARIANT\n', '    const { framing } = FIFO_VARIANT\n    this.pending = []\n']],
    framed,
    FRAMING,
  ),
  mutant(
    'length-counts-the-header',
    'wire',
    'The length is that of the packet.',
    [['Uint8Array.of(PACKET_DATA, bytes.length, ...bytes)', 'Uint8Array.of(PACKET_DATA, bytes.length + 2, ...bytes)']],
    packets,
    FRAMING,
  ),
  mutant(
    'no-breaks',
    'wire',
    'Nobody sends breaks any more.',
    [['    this.#outgoing.push(unit)\n    this.#waiting++\n', '']],
    framed,
  ),
  mutant(
    'break-overtakes',
    'wire',
    'A break is urgent.',
    [['    this.#outgoing.push(unit)\n', '    this.#outgoing.unshift(unit)\n']],
    framed,
  ),
  mutant('offers-are-promises', 'wire', 'What the transmitter has offered once need not be offered again.', [
    [
      QUEUES,
      '    if (taken > 0) this.#outgoing.push(...encode(bytes.slice(0, taken)))\n    if (this.#rest.length > 0) this.#outgoing.push(...encode(Uint8Array.from(this.#rest)))\n    this.#rest = [...bytes.subarray(taken)]\n',
    ],
    ['  #refused = false\n', '  #refused = false\n  #rest: number[] = []\n'],
  ]),
  mutant('moves-without-its-luggage', 'life', 'What waits is on its way already.', [
    ['      outgoing: this.#outgoing.map(', '      outgoing: this.#outgoing.slice(0, 0).map('],
  ]),
  mutant('moves-without-the-guests-bytes', 'life', 'What arrived is with the guest.', [
    ['      arrived: this.#arrived,\n', '      arrived: [],\n'],
  ]),
  mutant('forgets-a-refusal', 'life', 'On the new host nobody has been refused.', [
    ['      refused: this.#refused,\n', '      refused: false,\n'],
  ]),
  mutant(
    'moves-in-mid-sequence',
    'life',
    'Sequences are short.',
    [['      pending: this.#decoder.pending,\n', '      pending: [],\n']],
    framed,
  ),
  mutant('one-ring-for-all', 'life', 'A machine has one serial port.', [
    ['const MAX_WRITE = 65_536\n', 'const MAX_WRITE = 65_536\nlet shared: Unit[] = []\n'],
    [
      '  #outgoing: Unit[] = []\n',
      '  get #outgoing(): Unit[] {\n    return shared\n  }\n  set #outgoing(units: Unit[]) {\n    shared = units\n  }\n',
    ],
  ]),
  mutant('descriptors-pile-up', 'life', 'The system closes everything at the end.', [
    ['    this.#files.close(watched.fd)\n', '    if (this.#files !== this.#machine) this.#files.close(watched.fd)\n'],
  ]),
  mutant(
    'half-closed',
    'life',
    'One close for one port.',
    [
      [
        '    if (output !== input) this.#release(output)\n',
        '    if (output !== input && this.#files !== this.#machine) this.#release(output)\n',
      ],
    ],
    pair,
  ),
  mutant(
    'closed-twice',
    'life',
    'One close for each direction.',
    [['    if (output !== input) this.#release(output)\n', '    this.#release(output)\n']],
    duplex,
  ),
  mutant(
    'real-read-is-padded',
    'real',
    'A buffer of so many bytes holds so many bytes.',
    [
      [
        "typeof read === 'number' ? bytes.subarray(0, read)",
        "typeof read === 'number' ? bytes.subarray(0, read === 0 ? 0 : count)",
      ],
    ],
    undefined,
    FILES,
  ),
  mutant(
    'real-eagain-is-thrown',
    'real',
    'Errors are exceptions.',
    [[EXPECTED, "new Set(['EINTR', 'EPIPE', 'ENXIO', 'ENOENT', 'EACCES'])"]],
    undefined,
    FILES,
  ),
  mutant(
    'real-enxio-is-thrown',
    'real',
    'A pipe that is there can be opened.',
    [[EXPECTED, "new Set(['EAGAIN', 'EINTR', 'EPIPE', 'ENOENT', 'EACCES'])"]],
    undefined,
    FILES,
  ),
  mutant('a-write-for-each-byte', 'efficiency', 'A byte that has gone cannot be lost.', [
    ['    if (this.#waiting >= ENOUGH && !this.#blocked) this.#drain()\n', '    if (!this.#blocked) this.#drain()\n'],
  ]),
  mutant('watches-always', 'efficiency', 'More notices do no harm.', [
    ['const writable = watched === this.#out && this.#blocked', 'const writable = watched === this.#out'],
  ]),
  mutant(
    'keeps-the-broken-pipe',
    'efficiency',
    'A descriptor that was opened is good until the end.',
    [['      this.#release(this.#out)\n      this.#out = undefined\n', '']],
    ({ wiring, unplugged }) => wiring === 'pair' && unplugged === 'keep',
  ),
  mutant('alarm-at-each-flush', 'efficiency', 'A clock that ticks forgets nothing.', [
    [
      '    if (!this.#blocked) this.#drain()\n    this.#resume()\n',
      '    if (!this.#blocked) this.#drain()\n    this.#machine.alarm()\n    this.#resume()\n',
    ],
  ]),
]
