import './style.css'
import { SymphonyRoom } from '@symphony-rt/client/react'
import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { App } from './App'
import { loadUser } from './me'
import { client, type Presence, roomId } from './room'

createRoot(document.getElementById('app')!).render(
  <StrictMode>
    <SymphonyRoom<Presence> client={client} id={roomId} initialPresence={{ user: loadUser(), note: null }}>
      <App />
    </SymphonyRoom>
  </StrictMode>
)
