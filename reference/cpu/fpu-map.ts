/**
 * The opcode map of the floating-point escapes D8–DF (SDM vol. 2D, appendix A.5). ST is the stack's top, STi the register
 * that r/m names; t is ten bytes. FFREEP, and second encodings of other instructions, are not in the manual, but in
 * every processor since the 80287.
 */
import { type OpcodeForm, readCell, readRows } from './opcode-form.ts'

const FIRST_FPU = 0xd8

/** With a memory operand: by opcode, then reg field. */
const MEMORY = `
d8 fadd Md | fmul Md | fcom Md | fcomp Md | fsub Md | fsubr Md | fdiv Md | fdivr Md
d9 fld Md | - | fst Md | fstp Md | fldenv M | fldcw Mw | fnstenv M | fnstcw Mw
da fiadd Md | fimul Md | ficom Md | ficomp Md | fisub Md | fisubr Md | fidiv Md | fidivr Md
db fild Md | - | fist Md | fistp Md | - | fld Mt | - | fstp Mt
dc fadd Mq | fmul Mq | fcom Mq | fcomp Mq | fsub Mq | fsubr Mq | fdiv Mq | fdivr Mq
dd fld Mq | - | fst Mq | fstp Mq | frstor M | - | fnsave M | fnstsw Mw
de fiadd Mw | fimul Mw | ficom Mw | ficomp Mw | fisub Mw | fisubr Mw | fidiv Mw | fidivr Mw
df fild Mw | - | fist Mw | fistp Mw | fbld Mt | fild Mq | fbstp Mt | fistp Mq`

/** With mod = 3: by opcode, then reg field. `#name` chooses by the r/m field. */
const REGISTER = `
d8 fadd ST,STi | fmul ST,STi | fcom STi | fcomp STi | fsub ST,STi | fsubr ST,STi | fdiv ST,STi | fdivr ST,STi
d9 fld STi | fxch STi | #nop | fstpnce STi | #sign | #constants | #logarithms | #functions
da fcmovb ST,STi | fcmove ST,STi | fcmovbe ST,STi | fcmovu ST,STi | - | #compare2 | - | -
db fcmovnb ST,STi | fcmovne ST,STi | fcmovnbe ST,STi | fcmovnu ST,STi | #control | fucomi ST,STi | fcomi ST,STi | -
dc fadd STi,ST | fmul STi,ST | fcom STi | fcomp STi | fsubr STi,ST | fsub STi,ST | fdivr STi,ST | fdiv STi,ST
dd ffree STi | fxch STi | fst STi | fstp STi | fucom STi | fucomp STi | - | -
de faddp STi,ST | fmulp STi,ST | fcomp STi | #compare1 | fsubrp STi,ST | fsubp STi,ST | fdivrp STi,ST | fdivp STi,ST
df ffreep STi | fxch STi | fstp STi | fstp STi | #status | fucomip ST,STi | fcomip ST,STi | -`

const BY_RM = `
nop fnop | - | - | - | - | - | - | -
sign fchs | fabs | - | - | ftst | fxam | - | -
constants fld1 | fldl2t | fldl2e | fldpi | fldlg2 | fldln2 | fldz | -
logarithms f2xm1 | fyl2x | fptan | fpatan | fxtract | fprem1 | fdecstp | fincstp
functions fprem | fyl2xp1 | fsqrt | fsincos | frndint | fscale | fsin | fcos
compare1 - | fcompp | - | - | - | - | - | -
compare2 - | fucompp | - | - | - | - | - | -
control fneni | fndisi | fnclex | fninit | fnsetpm | - | - | -
status fnstsw AX | - | - | - | - | - | - | -`

const MEMORY_FORMS = readForms(MEMORY)
const REGISTER_FORMS = readForms(REGISTER)

/** The form of an instruction D8–DF; `undefined` when no processor defines it. */
export function fpuFormOf(opcode: number, mod: number, reg: number, rm: number): OpcodeForm | undefined {
  const form = (mod === 3 ? REGISTER_FORMS : MEMORY_FORMS)[opcode - FIRST_FPU]?.[reg]
  return form?.group ? form.group[rm] : form
}

function readForms(table: string): (OpcodeForm | undefined)[][] {
  const groups = new Map(readRows(BY_RM))
  return readRows(table).map(([, cells]) => cells.map((cell) => readCell(cell, groups)))
}
