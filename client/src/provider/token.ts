/** Access tokens: where they come from, when they expire, how they travel. */

/** A token, or a function that gets one; it is called for each connection and may answer '' for none. */
export type Token = string | (() => string | Promise<string>)

export async function obtain (token: Token | undefined): Promise<string> {
  return typeof token === 'function' ? await token() : token ?? ''
}

/** When a JSON Web Token expires, in ms since 1970; null when it does not say so (RFC 7519 section 4.1.4). */
export function expiry (token: string): number | null {
  const exp = claims(token)?.exp
  return typeof exp === 'number' ? exp * 1000 : null
}

/** What a JSON Web Token says; null when it is none. */
export function claims (token: string): Record<string, unknown> | null {
  try {
    return JSON.parse(atob(token.split('.')[1]!.replaceAll('-', '+').replaceAll('_', '/'))) as Record<string, unknown>
  } catch {
    return null
  }
}

/** The subprotocols to offer: docs/PROTOCOL.md, "Connecting". */
export function subprotocols (token: string): string[] {
  if (token === '') return ['symphony.v1']
  const bytes = new TextEncoder().encode(token)
  const base64 = btoa(String.fromCharCode(...bytes))
  return ['symphony.v1', `symphony.token.${base64.replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '')}`]
}
