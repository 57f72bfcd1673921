// Making elements.

const SVG = 'http://www.w3.org/2000/svg'

type Props = Record<string, string | number | boolean | null | ((event: never) => void)>

function apply (element: Element, props: Props): void {
  for (const [key, value] of Object.entries(props)) {
    if (typeof value === 'function') element.addEventListener(key, value as (event: Event) => void)
    else if (value === true) element.setAttribute(key, '')
    else if (value !== false && value !== null) element.setAttribute(key, String(value))
    else element.removeAttribute(key)
  }
}

/** An HTML element; a function among the props listens to the event of that name. */
export function h<K extends keyof HTMLElementTagNameMap> (tag: K, props: Props = {}, ...children: (Node | string)[]): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag)
  apply(element, props)
  element.append(...children)
  return element
}

/** An SVG element. */
export function s<K extends keyof SVGElementTagNameMap> (tag: K, props: Props = {}, ...children: (Node | string)[]): SVGElementTagNameMap[K] {
  const element = document.createElementNS(SVG, tag)
  apply(element, props)
  element.append(...children)
  return element
}

/** Sets attributes of an element that is there; null removes one. */
export function set (element: Element, props: Props): void {
  apply(element, props)
}
