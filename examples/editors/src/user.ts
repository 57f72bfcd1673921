/** What the others see beside a cursor. y-codemirror.next also wants a light colour, for selections. */
export interface User {
  name: string
  color: string
  colorLight: string
}

const NAMES = ['Ada', 'Alan', 'Barbara', 'Edsger', 'Grace', 'Ken', 'Margaret', 'Tim']
const COLORS = ['#c2255c', '#6741d9', '#1864ab', '#087f5b', '#a6540a', '#c92a2a'] // white text is readable on each

const any = <T>(list: T[]): T => list[Math.floor(Math.random() * list.length)]!

/** Somebody; `?name=` in the page's address names them. */
export function anyone (name: string | null): User {
  const color = any(COLORS)
  return { name: name ?? any(NAMES), color, colorLight: `${color}40` }
}
