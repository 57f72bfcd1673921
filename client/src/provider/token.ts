/** Access tokens: where they come from, when they expire, how they travel. */

/** A token, or a function that gets one; it is called for each connection and may answer '' for none. */
export type Token = string | (() => string | Promise<string>)

export async function obtain (token: Token | undefined): Promise<string> {
  return typeof token === 'function' ? await token() : token ?? ''
}

/** When a JSON Web Token expires, in ms since 1970; null when it does not say so (RFC 7519 section 4.1.4). */
export function expiry (token: string): number | null {
  try {
    const payload = token.split('.')[1]!.replaceAll('-', '+').replaceAll('_', '/')
    const { exp } = JSON.parse(atob(payload)) as { exp?: unknown }
    return typeof exp === 'number' ? exp * 1000 : null
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
