export { admits, admitsArguments, type GrantVerdict, judgeCall } from './admits.ts';
export { attenuates, narrows } from './attenuates.ts';
export type { ArgumentConstraint, Constraint, Scalar, ToolArguments, ToolGrants } from './constraint.ts';
export { meet } from './meet.ts';
export { GRANT_LIMITS, GrantError, parseToolGrants } from './parse-grants.ts';
