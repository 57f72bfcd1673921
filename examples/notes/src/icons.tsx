const icon = (path: string) => () => <svg viewBox="0 0 24 24" aria-hidden="true"><path d={path} /></svg>

export const Plus = icon('M12 5v14M5 12h14')
export const Back = icon('M15 5l-7 7 7 7')
export const Trash = icon('M4 7h16M10 11v6M14 11v6M6 7l1 13h10l1-13M9 7V4h6v3')
