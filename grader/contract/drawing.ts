/** Pictures that a lab draws: plain data, so that a result can hold them; `grader/reports/svg.ts` makes SVG of them. */

/** What a colour means; the page decides how it looks, in the light and in the dark. */
export type Tone = 'ink' | 'soft' | 'good' | 'half' | 'bad'

export type Shape =
  /** A line through points, x and y in turn. */
  | { readonly kind: 'line'; readonly points: readonly number[]; readonly tone: Tone }
  | {
      readonly kind: 'box'
      readonly x: number
      readonly y: number
      readonly width: number
      readonly height: number
      readonly tone: Tone
    }
  /** Its place is where the text's middle line begins, or ends. */
  | {
      readonly kind: 'text'
      readonly x: number
      readonly y: number
      readonly text: string
      readonly tone: Tone
      readonly anchor: 'start' | 'end'
    }

/** Lengths are in the same unit; a line of text is 14 high. */
export interface Drawing {
  readonly title: string
  readonly width: number
  readonly height: number
  readonly shapes: readonly Shape[]
}
