/** The lines of code page 437, B3h–DAh, drawn by rule: up to four arms of one stroke or two that meet in the middle of a cell. */

const FIRST_CODE = 0xb3
/** Strokes of each character's arms: up, right, down, left. */
const ARMS = `1010 1011 1012 2021 0021 0012 2022 2020 0022 2002 2001 1002 0011 1100 1101 0111 1110 0101 1111 1210
  2120 2200 0220 2202 0222 2220 0202 2222 1202 2101 0212 0121 2100 1200 0210 0120 2121 1212 1001 0110`

const CELL_COLUMNS = 8
const CELL_ROWS = 16

/** Of one direction of a cell: the places that strokes across it take, counted from the edge where an arm begins. */
interface Direction {
  /** Where one stroke begins and ends. */
  readonly one: readonly [number, number]
  /** Where the first of two strokes begins and ends, and the second. */
  readonly two: readonly [number, number, number, number]
  /** A place, and the one that mirrors it, make this together. */
  readonly mirror: number
}

const COLUMN: Direction = { one: [3, 4], two: [1, 2, 5, 6], mirror: 7 }
const ROW: Direction = { one: [7, 7], two: [6, 6, 8, 8], mirror: 14 }

/** Of each character: its code, and whether a dot of its cell is set. */
export const LINE_CHARACTERS: readonly (readonly [number, (column: number, row: number) => boolean])[] = ARMS.split(
  /\s+/,
).map((digits, i) => [FIRST_CODE + i, picture([...digits].map(Number))])

function picture(arms: readonly number[]): (column: number, row: number) => boolean {
  const cell = Array.from({ length: CELL_ROWS }, () => new Array<boolean>(CELL_COLUMNS).fill(false))
  /** Fills arm `i` from its edge to `end`, as wide as `from`–`to`. */
  const fill = (i: number, end: number, from: number, to: number, value: boolean) => {
    const along = i % 2 === 0 ? ROW : COLUMN
    for (let place = -1; place <= end; place++) {
      const at = i === 1 || i === 2 ? along.mirror - place : place
      for (let wide = from; wide <= to; wide++) {
        const [row, column] = i % 2 === 0 ? [at, wide] : [wide, at]
        if (row >= 0 && column >= 0) cell[row]![column] = value
      }
    }
  }
  const each = (strokes: number, draw: (i: number, along: Direction, across: Direction, crossing: number) => void) => {
    for (const [i, weight] of arms.entries()) {
      const crossing = Math.max(arms[(i + 1) % 4]!, arms[(i + 3) % 4]!)
      if (weight === strokes) draw(i, i % 2 === 0 ? ROW : COLUMN, i % 2 === 0 ? COLUMN : ROW, crossing)
    }
  }
  each(2, (i, along, { two }, crossing) => fill(i, crossing === 2 ? along.two[3] : along.one[1], two[0], two[3], true))
  each(2, (i, along, { two }, crossing) => {
    const end = crossing === 2 ? along.two[2] - 1 : crossing === 1 ? along.one[0] - 1 : along.one[1]
    fill(i, end, two[1] + 1, two[2] - 1, false)
  })
  each(1, (i, along, { one }, crossing) => {
    const passes = arms[(i + 1) % 4] !== arms[(i + 3) % 4] || arms[(i + 2) % 4] !== 0
    fill(i, crossing < 2 ? along.one[1] : passes ? along.two[3] : along.two[1], one[0], one[1], true)
  })
  return (column, row) => cell[row]![column]!
}
