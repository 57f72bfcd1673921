// Who you are: remembered by this browser, and part of everybody's presence.

export interface User {
  name: string
  color: string
  /** For the text you select. */
  colorLight: string
}

const NAMES = ['Ada', 'Alan', 'Barbara', 'Edsger', 'Grace', 'Ken', 'Margaret', 'Tim']
const COLORS = ['#c2255c', '#9c36b5', '#6741d9', '#3b5bdb', '#1864ab', '#0b7285', '#087f5b', '#a6540a'] // white text is readable on each
const KEY = 'symphony-notes.user'
const any = <T>(list: T[]): T => list[Math.floor(Math.random() * list.length)]!

export function loadUser (): User {
  try {
    const user = JSON.parse(localStorage.getItem(KEY) ?? 'null') as User | null
    if (user !== null) return user
  } catch { /* no storage, or not ours */ }
  const color = any(COLORS)
  return saveUser({ name: any(NAMES), color, colorLight: `${color}33` })
}

export function saveUser (user: User): User {
  try { localStorage.setItem(KEY, JSON.stringify(user)) } catch { /* then for this page only */ }
  return user
}

/** Others' presence comes as they sent it: a user that can be shown, or nothing. A colour is a colour, not some url(). */
export function usersOf (others: ReadonlyArray<{ presence: { user?: unknown } }>): User[] {
  return others.flatMap(({ presence }) => {
    const { name, color } = (presence.user ?? {}) as Partial<User>
    const valid = typeof name === 'string' && typeof color === 'string' && /^#[0-9a-f]{6}$/i.test(color)
    return valid ? { name: name.slice(0, 30), color, colorLight: `${color}33` } : []
  })
}

/** Cursors move all the time; who is here is shown anew only when that changes. */
export const sameUsers = (a: User[], b: User[]): boolean =>
  a.length === b.length && a.every(({ name, color }, at) => name === b[at]!.name && color === b[at]!.color)

/** Two letters for an avatar. */
export const initials = (name: string): string =>
  name.trim().split(/\s+/).map(word => [...word][0] ?? '').slice(0, 2).join('').toUpperCase() || '?'
