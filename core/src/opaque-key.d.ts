/**
 * This room is compiled without Node's types, but values of the spiffe room hold keys. Here a key is opaque: it can be
 * passed on and nothing else. Without this declaration it would be `any`. See docs/decisions/0002-core-is-pure.md.
 */
declare module 'node:crypto' {
  export interface KeyObject {
    readonly type: 'secret' | 'public' | 'private';
  }
}
