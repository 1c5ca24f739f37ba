import { UserError } from './exit.ts';

export interface WireSelector {
  readonly type: string;
  readonly value: string;
}

/** `unix:uid:1000` → type and value. */
export function selector(text: string): WireSelector {
  const colon = text.indexOf(':');
  if (colon < 1 || colon === text.length - 1) {
    throw new UserError(`--selector: '${text}' is not a selector`, 'write it as type:value, such as unix:uid:1000');
  }
  return { type: text.slice(0, colon), value: text.slice(colon + 1) };
}
