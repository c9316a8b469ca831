/**
 * The ten calendar bytes of the MC146818 (data sheet, "Time, Calendar, and Alarm Locations") to and from seconds:
 * BCD or binary, 12 or 24 hours, Gregorian years with the PC's century byte in 32h.
 */

const SECONDS = 0x00
const MINUTES = 0x02
const HOURS = 0x04
const DAY_OF_WEEK = 0x06
const DATE_OF_MONTH = 0x07
const MONTH = 0x08
const YEAR = 0x09
const CENTURY = 0x32

/** In 12-hour mode, the bit of an hours byte that says p.m. */
export const HOUR_PM = 0x80

/** Register B's DM and 24/12 bits. */
export interface CalendarFormat {
  readonly binary: boolean
  readonly hours24: boolean
}

/** Two decimal digits as BCD. */
export function toBcd(value: number): number {
  return (Math.floor(value / 10) << 4) | (value % 10)
}

/**
 * The date in `cmos`, in seconds since 1970-01-01T00:00:00. Values that name no date (second 75, 31 February) run
 * over into the next unit; the day of the week is not looked at; a century byte of 0 is taken as 20.
 */
export function decodeCalendar(cmos: Uint8Array, format: CalendarFormat): number {
  const number = (value: number) => (format.binary ? value : (value >> 4) * 10 + (value & 15))
  const at = (index: number) => number(cmos[index]!)
  const rawHours = cmos[HOURS]!
  const hours = format.hours24
    ? number(rawHours)
    : (number(rawHours & ~HOUR_PM) % 12) + ((rawHours & HOUR_PM) !== 0 ? 12 : 0)
  const century = toNumber(cmos[CENTURY]!) || 20
  const day = Date.UTC(century * 100 + at(YEAR), at(MONTH) - 1, at(DATE_OF_MONTH)) / 1000
  return day + hours * 3600 + at(MINUTES) * 60 + at(SECONDS)
}

/** Writes the date `seconds` after 1970-01-01T00:00:00 into `cmos`. The century is BCD in every format. */
export function encodeCalendar(cmos: Uint8Array, seconds: number, format: CalendarFormat): void {
  const date = new Date(seconds * 1000)
  const code = (value: number) => (format.binary ? value : toBcd(value))
  const hours = date.getUTCHours()
  const shownHours = format.hours24 ? hours : hours % 12 === 0 ? 12 : hours % 12
  cmos[SECONDS] = code(date.getUTCSeconds())
  cmos[MINUTES] = code(date.getUTCMinutes())
  cmos[HOURS] = code(shownHours) | (!format.hours24 && hours >= 12 ? HOUR_PM : 0)
  cmos[DAY_OF_WEEK] = code(date.getUTCDay() + 1)
  cmos[DATE_OF_MONTH] = code(date.getUTCDate())
  cmos[MONTH] = code(date.getUTCMonth() + 1)
  cmos[YEAR] = code(date.getUTCFullYear() % 100)
  cmos[CENTURY] = toBcd(Math.floor(date.getUTCFullYear() / 100) % 100)
}

function toNumber(bcd: number): number {
  return (bcd >> 4) * 10 + (bcd & 15)
}
