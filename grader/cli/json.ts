/** JSON for a terminal: characters that it would obey instead of show (controls, overrides of direction) are escaped. */

const OBEYED = /[\p{C}\p{Zl}\p{Zp}]/gu

/** The value as indented JSON with a line end; any reader of JSON reads the same value from it. */
export function printableJson(value: unknown): string {
  return `${JSON.stringify(value, null, 2).replace(OBEYED, (found) => (found === '\n' ? found : escaped(found)))}\n`
}

function escaped(character: string): string {
  const units = Array.from({ length: character.length }, (_, at) => character.charCodeAt(at))
  return units.map((unit) => `\\u${unit.toString(16).padStart(4, '0')}`).join('')
}
