// The whole script: every command of both programs with every flag that it has, in good use and in bad.

import { agent, type Step, server } from './step.ts';
import { agentSteps } from './steps-agent.ts';
import { bundleSteps } from './steps-bundle.ts';
import { daemonSteps } from './steps-daemon.ts';
import { entrySteps } from './steps-entry.ts';
import { issueSteps } from './steps-issue.ts';
import { nodeSteps } from './steps-node.ts';
import { rotationSteps } from './steps-rotation.ts';

const told: readonly Step[] = [
  ...bundleSteps,
  ...entrySteps,
  ...issueSteps,
  ...agentSteps,
  ...rotationSteps,
  ...daemonSteps,
  // Last: the agent does not survive them.
  ...nodeSteps,
];

/** Every command that takes an instance, with one for which the environment has no template. */
const withInstance: readonly Step[] = [
  ...new Set(
    told.flatMap((step) => {
      if (typeof step === 'function' || step.ownSocket === true) return [];
      const path = /^[a-z0-9 ]+/.exec(step.line)?.[0].trim() ?? '';
      return step.program === 'spire-agent' && /^(debug|logger)/.test(path) ? [] : [`${step.program}:${path}`];
    }),
  ),
].map((key) => {
  const [program, path = ''] = key.split(':');
  const env = { SPIRE_SERVER_FFLAGS: 'wit-svid' };
  return (program === 'spire-server' ? server : agent)(`${path} -instance here`, { ownSocket: true, env });
});

export const script: readonly Step[] = [...withInstance, ...told];
