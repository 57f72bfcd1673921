// Records an editing session with Yjs: one author types a text at the pace of a
// person, with pauses, typing errors, deletions, a paste and formatting. The
// seed is fixed, so the file is the same every time.
//
//   node record.mjs > ../testdata/session.json
import * as Y from 'yjs'

const CLIENT = 0x7abcdef1 // five bytes as a varint, as the users' ids are
const TEXT = `Meeting notes. We agreed to ship the whiteboard first and the list view a week later. ` +
  `Ada takes the cursor colours, Grace the undo stack. Open question: how long do we keep a room that nobody opens? ` +
  `Barbara will measure it. Next meeting on Thursday at ten, the small room on the second floor.`

let state = 20240607
const random = () => {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0
  return state / 2 ** 32
}
const pace = () => Math.round(60 + 140 * -Math.log(1 - random()))

const doc = new Y.Doc()
doc.clientID = CLIENT
const text = doc.getText('text')
const marks = doc.getMap('marks')
const edits = []
let wait = 0
doc.on('update', update => {
  edits.push({ After: wait, Update: Buffer.from(update).toString('base64') })
})
let n = 0
const act = (after, f) => {
  wait = after
  doc.transact(() => {
    f()
    marks.set('edit', n++)
  })
}

for (let i = 0; i < TEXT.length; i++) {
  if (random() < 0.04 && text.length > 3) { // a slip, seen and corrected
    act(pace(), () => text.insert(text.length, 'xq'[n % 2]))
    act(pace() + 150, () => text.delete(text.length - 1, 1))
  }
  act(TEXT[i] === '.' ? pace() + 400 : pace(), () => text.insert(text.length, TEXT[i]))
  if (random() < 0.01 && text.length > 20) { // goes back and changes a word
    const at = Math.floor(random() * (text.length - 10))
    act(900, () => text.delete(at, 4))
    act(pace(), () => text.insert(at, 'some'))
  }
}
act(1200, () => text.insert(0, 'Notes of the weekly meeting\n'))
act(700, () => text.format(0, 27, { bold: true }))
process.stdout.write(JSON.stringify({ Client: CLIENT, Edits: edits }) + '\n')
