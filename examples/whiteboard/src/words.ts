// Names that people can read aloud.

const ADJECTIVES = ['amber', 'brave', 'bright', 'calm', 'clever', 'coral', 'crisp', 'gentle', 'golden', 'happy', 'jolly', 'kind',
  'lively', 'lucky', 'merry', 'mint', 'noble', 'quiet', 'rapid', 'silver', 'sunny', 'swift', 'tidy', 'vivid', 'warm', 'wise']
const ANIMALS = ['badger', 'crane', 'dolphin', 'falcon', 'finch', 'fox', 'gecko', 'heron', 'ibis', 'koala', 'lark', 'lemur', 'lynx',
  'marten', 'otter', 'owl', 'panda', 'puffin', 'raven', 'robin', 'seal', 'sparrow', 'swan', 'tiger', 'whale', 'wren']

/** Letters and digits that are not taken for one another. */
const LETTERS = 'abcdefghjkmnpqrstuvwxyz23456789'
/** So many of them make a room's name hard to guess: 31^8 is close to 10^12. */
const SECRET_LETTERS = 8

/** Whole numbers below n, from the system's randomness. */
export type Below = (n: number) => number

export const randomBelow: Below = n => (crypto.getRandomValues(new Uint32Array(1))[0] as number) % n

function one (list: readonly string[] | string, below: Below): string {
  return list[below(list.length)] as string
}

/** For example `brave-otter-x7kq2mfd`. */
export function roomName (below: Below = randomBelow): string {
  const secret = Array.from({ length: SECRET_LETTERS }, () => one(LETTERS, below)).join('')
  return `${one(ADJECTIVES, below)}-${one(ANIMALS, below)}-${secret}`
}

/** For example `Brave Otter`. */
export function userName (below: Below = randomBelow): string {
  const capital = (word: string) => word.charAt(0).toUpperCase() + word.slice(1)
  return `${capital(one(ADJECTIVES, below))} ${capital(one(ANIMALS, below))}`
}
