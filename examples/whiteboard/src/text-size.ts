// How large text is when drawn.

/** The font of text on the board, as CSS. */
export const TEXT_FONT = '-apple-system, BlinkMacSystemFont, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif'

/** What a letter is wide, of its size, when nothing can measure it. */
const ROUGH_LETTER = 0.55

let pen: CanvasRenderingContext2D | null | undefined

export function lineHeight (fontSize: number): number {
  return Math.round(fontSize * 1.3)
}

/** Width and height of text of one or more lines. */
export function textSize (text: string, fontSize: number): [w: number, h: number] {
  if (pen === undefined) pen = typeof document === 'undefined' ? null : document.createElement('canvas').getContext('2d')
  if (pen) pen.font = `${fontSize}px ${TEXT_FONT}`
  const lines = text.split('\n')
  const width = (line: string) => pen?.measureText(line).width ?? line.length * fontSize * ROUGH_LETTER
  return [Math.max(...lines.map(width), fontSize / 2), lines.length * lineHeight(fontSize)]
}
