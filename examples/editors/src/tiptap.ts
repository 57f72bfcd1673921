import type { SymphonyProvider } from '@symphony-rt/client'
import { Editor } from '@tiptap/core'
import { Collaboration } from '@tiptap/extension-collaboration'
import { CollaborationCaret } from '@tiptap/extension-collaboration-caret'
import { StarterKit } from '@tiptap/starter-kit'
import type { User } from './user'

/** Tiptap, which is ProseMirror, through its collaboration extensions: the text is the `Y.XmlFragment` called "rich". */
export function mountTiptap (parent: HTMLElement, provider: SymphonyProvider, user: User, tools: Iterable<HTMLButtonElement>): void {
  const editor = new Editor({
    element: parent,
    editorProps: { attributes: { 'aria-label': 'Text', role: 'textbox' } },
    extensions: [
      StarterKit.configure({ undoRedo: false }), // Collaboration undoes one's own changes only
      Collaboration.configure({ document: provider.doc, field: 'rich' }),
      CollaborationCaret.configure({ provider, user })
    ],
    onTransaction: ({ editor }) => { for (const tool of tools) tool.setAttribute('aria-pressed', String(editor.isActive(tool.dataset.mark!))) }
  })
  for (const tool of tools) {
    tool.addEventListener('click', () => {
      const chain = editor.chain().focus()
      if (tool.dataset.mark === 'heading') chain.toggleHeading({ level: 3 }).run()
      else chain.toggleMark(tool.dataset.mark!).run()
    })
  }
}
