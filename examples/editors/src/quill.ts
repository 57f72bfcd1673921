import 'quill/dist/quill.snow.css'
import type { SymphonyProvider } from '@symphony-rt/client'
import Quill from 'quill'
import QuillCursors from 'quill-cursors'
import { QuillBinding } from 'y-quill'

Quill.register('modules/cursors', QuillCursors)

/** Quill through y-quill: the text is the document's `Y.Text` called "quill". */
export function mountQuill (parent: HTMLElement, { doc, awareness }: SymphonyProvider): void {
  const quill = new Quill(parent, {
    theme: 'snow',
    modules: {
      cursors: true,
      toolbar: [[{ header: [1, 2, false] }], ['bold', 'italic', 'underline'], [{ list: 'ordered' }, { list: 'bullet' }]],
      history: { userOnly: true } // undo one's own changes only
    }
  })
  new QuillBinding(doc.getText('quill'), quill, awareness)
}
