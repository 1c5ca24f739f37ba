import { type CallContext, callSlot } from '@steeple/proto/grpc';

/** One thing that an audited call did or was refused: a line of its own in the audit log. */
export interface AuditItem {
  /** Made when a line is written; without an audit log never. */
  readonly fields: () => Readonly<Record<string, unknown>>;
  /** gRPC code and text of the item; 0 for success. */
  readonly code: number;
  readonly message: string;
}

const items = callSlot<AuditItem[]>('audit items');

/** Notes one item of a call. No secrets: IDs, names and serials only. */
export const auditItem = (
  ctx: CallContext,
  fields: Readonly<Record<string, unknown>> | (() => Readonly<Record<string, unknown>>),
  status: { readonly code?: number; readonly message?: string } = {},
): void => {
  const { code = 0, message = '' } = status;
  const noted = items.get(ctx) ?? [];
  noted.push({ fields: typeof fields === 'function' ? fields : () => fields, code, message });
  items.set(ctx, noted);
};

/** What was noted of a call so far. */
export const auditItemsOf = (ctx: CallContext): readonly AuditItem[] => items.get(ctx) ?? [];
