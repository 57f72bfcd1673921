import { LexicalCollaboration } from '@lexical/react/LexicalCollaborationContext'
import { CollaborationPlugin } from '@lexical/react/LexicalCollaborationPlugin'
import { LexicalComposer } from '@lexical/react/LexicalComposer'
import { ContentEditable } from '@lexical/react/LexicalContentEditable'
import { LexicalErrorBoundary } from '@lexical/react/LexicalErrorBoundary'
import { RichTextPlugin } from '@lexical/react/LexicalRichTextPlugin'
import type { Provider } from '@lexical/yjs'
import type { SymphonyProvider } from '@symphony-rt/client'
import { createRoot } from 'react-dom/client'
import type { User } from './user'

/** Lexical through @lexical/react's collaboration plugin, which connects and disconnects the provider itself. */
export function mountLexical (parent: HTMLElement, provider: SymphonyProvider, user: User): void {
  const cursors = parent.appendChild(document.createElement('div'))
  cursors.className = 'lexical-cursors'
  createRoot(parent.appendChild(document.createElement('div'))).render(
    <LexicalCollaboration>
      <LexicalComposer initialConfig={{ namespace: 'lexical', editorState: null, onError: error => { throw error } }}>
        <RichTextPlugin contentEditable={<ContentEditable aria-label="Text" className="lexical" />} ErrorBoundary={LexicalErrorBoundary} />
        <CollaborationPlugin
          id="lexical"
          providerFactory={(id, docs) => {
            docs.set(id, provider.doc)
            return provider as unknown as Provider
          }}
          shouldBootstrap={false}
          username={user.name}
          cursorColor={user.color}
          cursorsContainerRef={{ current: cursors }}
        />
      </LexicalComposer>
    </LexicalCollaboration>
  )
}
