export { FakeWorkloadApi, type JwtAnswer, type RecordedCall, type ValidateAnswer } from './fake-workload-api.ts';
export { type IssueOptions, TestTrustDomain } from './test-trust-domain.ts';
export { Topic } from './topic.ts';
export {
  jwtBundlesResponse,
  jwtResponse,
  type Wire,
  witBundlesResponse,
  witResponse,
  x509BundlesResponse,
  x509Response,
} from './wire-state.ts';
