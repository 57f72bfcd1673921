import { javascript } from '@codemirror/lang-javascript'
import { EditorState } from '@codemirror/state'
import { oneDark } from '@codemirror/theme-one-dark'
import { EditorView, keymap } from '@codemirror/view'
import type { SymphonyProvider } from '@symphony-rt/client'
import { basicSetup } from 'codemirror'
import { yCollab, yUndoManagerKeymap } from 'y-codemirror.next'

/** CodeMirror 6 through y-codemirror.next: the text is the document's `Y.Text` called "code". */
export function mountCodeMirror (parent: HTMLElement, { doc, awareness }: SymphonyProvider): void {
  const text = doc.getText('code')
  const theme = matchMedia('(prefers-color-scheme: dark)').matches ? oneDark : []
  new EditorView({
    parent,
    state: EditorState.create({
      doc: text.toString(),
      extensions: [
        keymap.of(yUndoManagerKeymap), basicSetup, javascript(), theme,
        EditorView.lineWrapping, EditorView.contentAttributes.of({ 'aria-label': 'Code' }),
        yCollab(text, awareness)
      ]
    })
  })
}
