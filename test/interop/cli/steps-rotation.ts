import { type Step, server } from './step.ts';

const prepared = /Authority ID: (\S+)/;
const active = /Active (?:X.509|JWT) authority:\n +Authority ID: (\S+)/;

const kind = (name: 'x509' | 'jwt'): Step[] => {
  const authority = `localauthority ${name}`;
  return [
    server(`${authority} show`, { keep: { [`${name}Active`]: active } }),
    server(`${authority} show -output json`),
    server(`${authority} activate -authorityID {${name}Active}`),
    server(`${authority} taint -authorityID {${name}Active}`),
    server(`${authority} revoke -authorityID {${name}Active}`),
    server(`${authority} activate`),
    server(`${authority} taint`),
    server(`${authority} revoke`),
    server(`${authority} prepare`, { keep: { [`${name}Next`]: prepared } }),
    server(`${authority} show`),
    server(`${authority} activate -authorityID none`),
    server(`${authority} taint -authorityID {${name}Next}`),
    server(`${authority} activate -authorityID {${name}Next}`),
    server(`${authority} show`),
    server(`${authority} revoke -authorityID {${name}Active}`),
    server(`${authority} taint -authorityID none -output json`),
    server(`${authority} taint -authorityID {${name}Active}`),
    server(`${authority} taint -authorityID {${name}Active}`, { compare: 'outcome' }),
    server(`${authority} revoke -authorityID none -output json`),
    server(`${authority} revoke -authorityID {${name}Active}`),
    server(`${authority} revoke -authorityID {${name}Active}`, { compare: 'outcome' }),
    server(`${authority} prepare -output json`),
    server(`${authority} show -output json`),
    server(`${authority} activate -authorityID none -output json`),
  ];
};

/** Forced rotation. */
export const rotationSteps: readonly Step[] = [
  ...kind('x509'),
  ...kind('jwt'),
  server('upstreamauthority taint'),
  server('upstreamauthority revoke'),
  server('upstreamauthority taint -subjectKeyID 0123 -output json'),
  server('upstreamauthority revoke -subjectKeyID 0123 -output json'),
];
