interface ImportMetaEnv {
  readonly VITE_SYMPHONY_URL?: string
}

declare namespace React {
  interface CSSProperties {
    /** Somebody's colour. */
    '--user'?: string | undefined
  }
}
