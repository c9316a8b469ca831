/** A lab's drawing as SVG 1.1, for a page or a file of its own. Texts are escaped; nothing in it runs or loads. */
import type { Drawing, Shape, Tone } from '../contract/drawing.ts'
import { plainLine } from './plain.ts'

/** The colours of the HTML report, or where there is no page around, those of its light side. */
const COLOURS: Readonly<Record<Tone, string>> = {
  ink: 'var(--ink, #1d2330)',
  soft: 'var(--soft, #667085)',
  good: 'var(--good, #12805c)',
  half: 'var(--half, #9a6700)',
  bad: 'var(--bad, #b42318)',
}
const ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

export function renderSvg({ title, width, height, shapes }: Drawing): string {
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${number(width)} ${number(height)}" role="img" font-family="system-ui, sans-serif" font-size="12">`,
    `<title>${escaped(title)}</title>`,
    ...shapes.map(element),
    '</svg>',
  ].join('\n')
}

function element(shape: Shape): string {
  const colour = COLOURS[shape.tone]
  if (shape.kind === 'line') {
    const points = shape.points.map(number).join(' ')
    return `<polyline points="${points}" fill="none" stroke="${colour}" stroke-width="1.5" stroke-linejoin="round"/>`
  }
  const place = `x="${number(shape.x)}" y="${number(shape.y)}"`
  if (shape.kind === 'box') {
    return `<rect ${place} width="${number(shape.width)}" height="${number(shape.height)}" fill="none" stroke="${colour}"/>`
  }
  return `<text ${place} fill="${colour}" text-anchor="${shape.anchor}" dominant-baseline="middle">${escaped(shape.text)}</text>`
}

/** Two decimals are finer than anybody sees. */
function number(value: number): string {
  return String(Math.round(value * 100) / 100)
}

function escaped(text: string): string {
  return plainLine(text).replaceAll(/[&<>"']/g, (character) => ESCAPES[character]!)
}
