declare namespace React {
  interface CSSProperties {
    /** Somebody's colour. */
    '--user'?: string | undefined
  }
}
