/** Nested values before they are put somewhere. */

import * as Y from 'yjs'
import { Conversion } from './convert'
import { Space } from './space'
import type { Synced } from './synced'
import { wrap } from './wrap'

/** Puts what `fill` makes into a document of its own. */
export function draft<S extends Synced> (fill: (conversion: Conversion) => Y.AbstractType<any>): S {
  const space = new Space(new Y.Doc())
  const conversion = new Conversion(space)
  const type = fill(conversion)
  space.change(() => { space.doc.getArray('').push([type]) })
  conversion.settle()
  space.root = type
  return wrap(type, space) as S
}
