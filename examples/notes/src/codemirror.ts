// CodeMirror for Markdown, bound to a text that everybody in the room edits.

import { defaultKeymap, indentWithTab } from '@codemirror/commands'
import { markdown } from '@codemirror/lang-markdown'
import { HighlightStyle, syntaxHighlighting } from '@codemirror/language'
import type { Extension } from '@codemirror/state'
import { drawSelection, EditorView, keymap, placeholder } from '@codemirror/view'
import { tags } from '@lezer/highlight'
import { yCollab, yUndoManagerKeymap } from 'y-codemirror.next'
import type { Awareness } from 'y-protocols/awareness'
import type { Text } from 'yjs'

const look = syntaxHighlighting(HighlightStyle.define([
  { tag: tags.heading, fontWeight: '700' },
  { tag: tags.heading1, fontWeight: '700', fontSize: '1.35em' },
  { tag: tags.heading2, fontWeight: '700', fontSize: '1.18em' },
  { tag: tags.strong, fontWeight: '700' },
  { tag: tags.emphasis, fontStyle: 'italic' },
  { tag: tags.strikethrough, textDecoration: 'line-through' },
  { tag: [tags.link, tags.url], color: 'var(--accent)' },
  { tag: tags.monospace, fontFamily: 'ui-monospace, monospace' },
  { tag: [tags.processingInstruction, tags.meta, tags.quote], color: 'var(--quiet)' }
]))

/** @param readOnly the server would refuse this user's edits */
export function editor (parent: HTMLElement, text: Text, awareness: Awareness, readOnly: boolean): EditorView {
  const extensions: Extension[] = [
    keymap.of([...yUndoManagerKeymap, ...defaultKeymap, indentWithTab]),
    markdown(),
    look,
    drawSelection(),
    placeholder('Write something…'),
    EditorView.lineWrapping,
    EditorView.editable.of(!readOnly),
    EditorView.contentAttributes.of({ 'aria-label': 'Text of the note', spellcheck: 'true' }),
    yCollab(text, awareness)
  ]
  return new EditorView({ parent, doc: text.toString(), extensions })
}
