/**
 * Symphony's client. Layers: the provider for Yjs documents, and rooms with shared values on top of it.
 *
 * @module client
 */

export { ErrorCode, type Times } from './protocol'
export { SymphonyProvider, type Problem, type Status, type SymphonyProviderEvents, type SymphonyProviderOptions, type Token } from './provider'
export * from './room'
