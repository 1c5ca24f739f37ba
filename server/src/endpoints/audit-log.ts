import { randomUUID } from 'node:crypto';
import { readlinkSync } from 'node:fs';
import { methodRule } from '@steeple/core';
import type { Logger } from '@steeple/daemon';
import { type CallContext, Code, GrpcError, type Middleware, statusName } from '@steeple/proto/grpc';
import { auditItemsOf } from '../api/audit.ts';
import { callerOf } from '../api/caller.ts';

/** "API accessed": who did what, one line per call or per item of a batch. Sits inside the guard. */
export const auditLog =
  (logger: Logger): Middleware =>
  async ({ ctx, service, method }, next) => {
    if (!methodRule(ctx.method)?.audited) return next();
    let failure: GrpcError | undefined;
    try {
      await next();
    } catch (error) {
      failure = error instanceof GrpcError ? error : new GrpcError(Code.INTERNAL, 'internal error');
      throw error;
    } finally {
      const call = { service: shortName(service.typeName), method: method.name, request_id: randomUUID() };
      const base = { ...FIXED, ...call, ...callerFields(ctx) };
      const whole = statusFields(failure?.code ?? Code.OK, failure?.message ?? '');
      const items = auditItemsOf(ctx);
      if (items.length === 0) logger.info('API accessed', { ...base, ...whole });
      for (const { fields, code, message } of items) {
        const status = failure ? whole : statusFields(code, message);
        logger.info('API accessed', { ...base, ...fields(), ...status });
      }
    }
  };

const FIXED = { type: 'audit', subsystem_name: 'api' };

/** As SPIRE's lines name services: `entry.v1.Entry`, and the one that it knows by its last word only. */
const shortName = (service: string): string =>
  service.endsWith('.Logger') ? 'Logger' : service.replace(/^spire\.api\.server\./, '');

const statusFields = (code: number, message: string): Record<string, unknown> =>
  code === Code.OK
    ? { status: 'success' }
    : { status: 'error', status_code: statusName(code), status_message: message };

const callerFields = (ctx: CallContext): Record<string, unknown> => {
  const { address, process, id, as, via } = callerOf(ctx);
  return {
    ...(process && {
      caller_uid: process.uid,
      caller_gid: process.gid,
      caller_pid: process.pid,
      ...programOf(process.pid),
    }),
    ...(address && { caller_addr: address }),
    ...(id && { caller_id: id.toString() }),
    authorized_as: as,
    authorized_via: via,
  };
};

/** Unknown of processes of other users, unless the server is root, and of those that have ended. */
const programOf = (pid: number): Record<string, unknown> => {
  try {
    return { caller_path: readlinkSync(`/proc/${pid}/exe`) };
  } catch {
    return {};
  }
};
