import { expect, test } from 'vitest'
import { Coprocessor } from './coprocessor.ts'

function wired() {
  const pins = { irq: false, ignne: false }
  const device = new Coprocessor({
    line: (level) => {
      pins.irq = level
    },
    ignne: (level) => {
      pins.ignne = level
    },
  })
  return { device, pins }
}

test('an error asks for IRQ 13; port F0h takes it back and lets the FPU go on until the error is cleared', () => {
  const { device, pins } = wired()
  device.setFerr(true)
  expect(pins).toEqual({ irq: true, ignne: false })
  device.writePort()
  expect(pins).toEqual({ irq: false, ignne: true })
  device.setFerr(true)
  expect(pins).toEqual({ irq: false, ignne: true })
  device.setFerr(false)
  expect(pins).toEqual({ irq: false, ignne: false })
})

test('without an error port F0h does nothing', () => {
  const { device, pins } = wired()
  device.writePort()
  expect(pins).toEqual({ irq: false, ignne: false })
})

test('a state that was saved behaves as before', () => {
  const { device } = wired()
  device.setFerr(true)
  device.writePort()
  const { device: other, pins } = wired()
  other.restore(device.save())
  pins.ignne = true
  other.setFerr(false)
  expect(pins.ignne).toBe(false)
})
