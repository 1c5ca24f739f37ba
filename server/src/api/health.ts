import { type Handlers, type HealthState, healthHandlers as handlersOf } from '@steeple/proto/grpc';
import type { healthV1 } from '@steeple/proto/infra';

/** grpc.health.v1.Health on the admin socket: the state is set by the composition root. */
export const serverHealthHandlers = (state: HealthState): Handlers<typeof healthV1.Health> => handlersOf(state);
