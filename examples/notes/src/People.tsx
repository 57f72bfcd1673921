import { useMyPresence, useOthers } from '@symphony-rt/client/react'
import { initials, sameUsers, saveUser, type User, usersOf } from './me'
import type { Presence } from './room'

/** Everybody here; a click on yourself lets you change your name. */
export function People () {
  const others = useOthers<Presence, User[]>(usersOf, sameUsers)
  const [me, updateMe] = useMyPresence<Presence, User>(presence => presence.user!)

  function rename (name: string): void {
    updateMe({ user: saveUser({ ...me, name: name.slice(0, 30) }) })
  }

  return (
    <>
      <ul className="people" aria-label="Others here">
        {others.slice(0, 4).map((user, at) => <li key={at} className="avatar" style={{ '--user': user.color }} title={user.name}>{initials(user.name)}</li>)}
        {others.length > 4 && <li className="avatar rest" title={others.slice(4).map(user => user.name).join(', ')}>+{others.length - 4}</li>}
      </ul>
      <button className="avatar" style={{ '--user': me.color }} popoverTarget="me" aria-label={`You are ${me.name}`} title={`${me.name} (you)`}>{initials(me.name)}</button>
      <div id="me" className="popover" popover="auto">
        <label>Your name <input value={me.name} onChange={event => { rename(event.target.value) }} /></label>
      </div>
    </>
  )
}
