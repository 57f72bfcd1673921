import { act, render } from '@testing-library/react'
import { StrictMode } from 'react'
import { expect, test } from 'vitest'
import { shallowEqual } from '../../src/react/equal'
import { Store, useSelected } from '../../src/react/store'

function source<T> (value: T) {
  const listeners = new Set<() => void>()
  const it = {
    reads: 0,
    listeners,
    store: new Store<T>(() => {
      it.reads++
      return structuredClone(value)
    }, changed => {
      listeners.add(changed)
      return () => { listeners.delete(changed) }
    }),
    set: (next: T) => {
      value = next
      for (const listener of listeners) listener()
    }
  }
  return it
}

test('one listener and one reading for any number of components, none after they are gone', () => {
  const { store, listeners, ...it } = source([1])
  const Show = () => <i>{useSelected(store, list => list.length, Object.is)}</i>
  const { container, unmount } = render(<StrictMode><Show /><Show /><Show /></StrictMode>)
  expect(listeners.size).toBe(1)
  act(() => { it.set([1, 2]) })
  expect(container.textContent).toBe('222')
  unmount()
  expect(listeners.size).toBe(0)
})

test('a change between the first render and the subscription is seen', () => {
  const it = source(1)
  let changed = false
  const Show = () => {
    const value = useSelected(it.store, value => value, Object.is)
    if (!changed) {
      changed = true
      it.set(2) // nobody listens yet
    }
    return <i>{value}</i>
  }
  expect(render(<Show />).container.textContent).toBe('2')
})

test('renders only when the selection changes, although the selector is a new function each time', () => {
  const it = source([{ done: false }, { done: true }])
  let renders = 0
  const Show = () => {
    renders++
    const done = useSelected(it.store, list => list.filter(item => item.done), shallowEqual)
    return <i>{done.length}</i>
  }
  const { container, rerender } = render(<Show />)
  expect(renders).toBe(1)
  act(() => { it.set([{ done: false }, { done: true }, { done: false }]) })
  expect(renders).toBe(1)
  act(() => { it.set([{ done: true }, { done: true }]) })
  expect([renders, container.textContent]).toEqual([2, '2'])
  rerender(<Show />)
  expect(renders).toBe(3)
  act(() => { it.set([{ done: true }, { done: true }]) })
  expect(renders).toBe(3)
})

test('a selector may depend on props', () => {
  const it = source(['a', 'b'])
  const Show = ({ at }: { at: number }) => <i>{useSelected(it.store, list => list[at], Object.is)}</i>
  const { container, rerender } = render(<Show at={0} />)
  rerender(<Show at={1} />)
  expect(container.textContent).toBe('b')
})
