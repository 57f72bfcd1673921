interface ImportMetaEnv {
  /** Where the rooms are: ws://… or wss://…. Without it, on the page's own server. */
  readonly VITE_SYMPHONY_URL?: string
}
