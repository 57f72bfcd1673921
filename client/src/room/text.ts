/** A shared text, also for editors. */

import type * as Y from 'yjs'
import { Conversion, wellFormed } from './convert'
import { draft } from './draft'
import { IndexError, InvalidValueError } from './errors'
import { History } from './history'
import type { Space } from './space'
import { assertAttached, spaceOf, Synced, typeOf } from './synced'
import type { JsonObject } from './types'

/** A run of text with its formatting, in Quill's Delta format. */
export interface TextRun {
  insert: string | JsonObject
  attributes?: JsonObject
}

const textOf = (text: SyncedText): Y.Text => typeOf(text) as Y.Text

/**
 * A text that everybody in the room can type into at once. Indexes count as
 * JavaScript's strings do.
 *
 * @example
 * const note = room.newText('note')
 * note.insert(0, 'Hello')
 * note.insert(note.length, ' world', { bold: true })
 * note.toString() // 'Hello world'
 */
export class SyncedText extends Synced {
  /** @internal */
  constructor (type: Y.Text, space: Space) {
    super(type, space)
  }

  /**
   * The Y.Text, for editor bindings.
   * @example
   * yCollab(note.yjs, room.provider.awareness)
   */
  override get yjs (): Y.Text {
    return textOf(this)
  }

  /**
   * How long the text is.
   * @example
   * note.length // 11
   */
  get length (): number {
    return textOf(this).length
  }

  /**
   * Inserts text, with formatting if given.
   * Throws an IndexError unless 0 <= index <= length.
   * @example
   * note.insert(5, ',')
   */
  insert (index: number, text: string, format?: JsonObject): void {
    this.#check(index, 0)
    if (typeof text !== 'string') throw new InvalidValueError('Symphony: what is inserted into a text is text')
    const attributes = format === undefined ? undefined : this.#format(format)
    this.#change(type => { type.insert(index, wellFormed(text), attributes) })
  }

  /**
   * Adds text at the end.
   * @example
   * note.append('!')
   */
  append (text: string, format?: JsonObject): void {
    this.insert(this.length, text, format)
  }

  /**
   * Takes out `count` characters from an index on.
   * Throws an IndexError unless they are there.
   * @example
   * note.delete(5, 6)
   */
  delete (index: number, count = 1): void {
    this.#check(index, count)
    this.#change(type => { type.delete(index, count) })
  }

  /**
   * Puts text in place of `count` characters.
   * @example
   * note.replace(0, 5, 'Goodbye')
   */
  replace (index: number, count: number, text: string): void {
    this.#check(index, count)
    if (typeof text !== 'string') throw new InvalidValueError('Symphony: what is put into a text is text')
    this.#change(type => {
      type.delete(index, count)
      type.insert(index, wellFormed(text))
    })
  }

  /**
   * Formats `count` characters; null takes a format away.
   * @example
   * note.format(0, 5, { bold: true })
   * note.format(0, 5, { bold: null })
   */
  format (index: number, count: number, format: JsonObject): void {
    this.#check(index, count)
    const attributes = this.#format(format)
    this.#change(type => { type.format(index, count, attributes) })
  }

  /**
   * Takes everything out.
   * @example
   * note.clear()
   */
  clear (): void {
    this.#change(type => { type.delete(0, type.length) })
  }

  /**
   * The text.
   * @example
   * note.toString() // 'Hello world'
   */
  override toString (): string {
    return textOf(this).toString()
  }

  /**
   * The text; `JSON.stringify` works.
   * @example
   * note.toJSON() // 'Hello world'
   */
  toJSON (): string {
    return this.toString()
  }

  /**
   * The text with its formatting.
   * @example
   * note.toDelta() // [{ insert: 'Hello' }, { insert: ' world', attributes: { bold: true } }]
   */
  toDelta (): TextRun[] {
    return textOf(this).toDelta() as TextRun[]
  }

  /**
   * A new text with the same content that is in no place yet.
   * @example
   * notes.push(note.copy())
   */
  copy (): SyncedText {
    return draft(conversion => conversion.copy(textOf(this), spaceOf(this)))
  }

  /**
   * A history of the changes to this text only.
   * @param captureTimeout changes less than so many milliseconds apart are one step; 500 suits typing
   * @example
   * const history = note.newHistory(500)
   */
  newHistory (captureTimeout = 0): History {
    return new History(spaceOf(this), [textOf(this)], { captureTimeout })
  }

  #format (format: JsonObject): JsonObject {
    new Conversion(spaceOf(this)).value(format, 'the format')
    return structuredClone(format)
  }

  #check (index: number, count: number): void {
    const { length } = this
    if (Number.isInteger(index) && Number.isInteger(count) && index >= 0 && count >= 0 && index + count <= length) return
    throw new IndexError(`Symphony: ${count === 0 ? `index ${index} is` : `${count} characters from ${index} on are`} not in a text of ${length}`)
  }

  #change (run: (text: Y.Text) => void): void {
    assertAttached(this)
    const space = spaceOf(this)
    const text = textOf(this)
    space.change(() => {
      run(text)
      space.touch(text)
    })
  }
}
