// The icons: 24 by 24, drawn with one line.

import { s } from '../dom'

const PATHS = {
  select: 'M5 3.5 18.5 9.4c.8.4.8 1.5-.1 1.8l-5.2 1.7-2.4 5.3c-.4.9-1.6.8-1.9-.1L4 4.6c-.2-.7.4-1.4 1-1.1z',
  hand: 'M8 12.5V6.2a1.5 1.5 0 0 1 3 0V11m0-.5V4.8a1.5 1.5 0 0 1 3 0v5.7m0 .3V6.2a1.5 1.5 0 0 1 3 0v6.3m0-2.8a1.5 1.5 0 0 1 3 0v4.6a6.2 6.2 0 0 1-6.2 6.2h-1.4a6.2 6.2 0 0 1-5-2.5L4.2 13.6a1.5 1.5 0 0 1 2.3-1.9L8 13.2',
  pen: 'M4 20l1-4.2L16.2 4.6a2 2 0 0 1 2.8 0l.4.4a2 2 0 0 1 0 2.8L8.2 19 4 20zM14 6.8 17.2 10',
  rectangle: 'M6 5h12a2 2 0 0 1 2 2v10a2 2 0 0 1-2 2H6a2 2 0 0 1-2-2V7a2 2 0 0 1 2-2z',
  ellipse: 'M12 4.5c4.7 0 8.5 3.4 8.5 7.5s-3.8 7.5-8.5 7.5S3.5 16.1 3.5 12 7.3 4.5 12 4.5z',
  line: 'M5 19 19 5',
  arrow: 'M5 19 19 5M10 5h9v9',
  text: 'M5 7V5h14v2M12 5v14M9.5 19h5',
  undo: 'M8.5 14 4 9.5 8.5 5M4.5 9.5h9.8a5.2 5.2 0 0 1 0 10.5H11',
  redo: 'M15.5 14 20 9.5 15.5 5M19.5 9.5H9.7a5.2 5.2 0 0 0 0 10.5H13',
  minus: 'M6 12h12',
  plus: 'M6 12h12M12 6v12',
  copy: 'M10 8.5h8A1.5 1.5 0 0 1 19.5 10v8a1.5 1.5 0 0 1-1.5 1.5h-8A1.5 1.5 0 0 1 8.5 18v-8A1.5 1.5 0 0 1 10 8.5zM15.5 8V6A1.5 1.5 0 0 0 14 4.5H6A1.5 1.5 0 0 0 4.5 6v8A1.5 1.5 0 0 0 6 15.5h2',
  front: 'M12 20V6M6.5 11 12 5.5 17.5 11M5 3h14',
  back: 'M12 4v14M6.5 13l5.5 5.5 5.5-5.5M5 21h14',
  trash: 'M4.5 7h15M9.5 7V5a1 1 0 0 1 1-1h3a1 1 0 0 1 1 1v2M6.5 7l.8 11.6A1.5 1.5 0 0 0 8.8 20h6.4a1.5 1.5 0 0 0 1.5-1.4L17.5 7M10.3 11v5M13.7 11v5',
  link: 'M10 14a4 4 0 0 0 5.7 0l3-3a4 4 0 0 0-5.7-5.7l-1 1M14 10a4 4 0 0 0-5.7 0l-3 3A4 4 0 0 0 11 18.7l1-1',
  sun: 'M12 8a4 4 0 1 1 0 8 4 4 0 0 1 0-8zM12 3v1.5M12 19.5V21M3 12h1.5M19.5 12H21M5.6 5.6l1.1 1.1M17.3 17.3l1.1 1.1M18.4 5.6l-1.1 1.1M6.7 17.3l-1.1 1.1',
  moon: 'M20 14.2A8.2 8.2 0 0 1 9.8 4a8.2 8.2 0 1 0 10.2 10.2z',
  help: 'M9.3 9.3a2.8 2.8 0 1 1 4.2 2.6c-.9.5-1.5 1.1-1.5 2.1M12 17.3v.1',
  close: 'M6.5 6.5l11 11M17.5 6.5l-11 11',
  board: 'M12 5.5v13M5.5 12h13'
} as const

export type IconName = keyof typeof PATHS

export function icon (name: IconName, size = 20): SVGSVGElement {
  return s('svg', { class: 'icon', viewBox: '0 0 24 24', width: size, height: size, 'aria-hidden': 'true' }, s('path', { d: PATHS[name] }))
}

/** Symphony's mark: three voices. */
export function mark (): SVGSVGElement {
  return s('svg', { class: 'mark', viewBox: '0 0 32 32', width: 28, height: 28, 'aria-hidden': 'true' },
    s('rect', { width: 32, height: 32, rx: 9, class: 'mark-ground' }),
    s('path', { class: 'mark-line', d: 'M7 12.5c3-4 6-4 9 0s6 4 9 0' }),
    s('path', { class: 'mark-line second', d: 'M7 19.5c3-4 6-4 9 0s6 4 9 0' }))
}
