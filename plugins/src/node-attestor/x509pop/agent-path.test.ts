import { TrustDomain } from '@steeple/spiffe';
import { describe, expect, it } from 'vitest';
import { type AgentPathFacts, AgentPathTemplate } from './agent-path.ts';

const FACTS: AgentPathFacts = {
  pluginName: 'x509pop',
  trustDomain: 'example.org',
  fingerprint: 'abc',
  serialNumberHex: '0a',
  commonName: 'node-1',
  svidPathTrimmed: 'a/b',
  uriSanSelectors: new Map([
    ['rack', 'r1'],
    ['deep', 'x/y'],
  ]),
};
const render = (template: string, facts = FACTS) =>
  new AgentPathTemplate(template).agentId(TrustDomain.parse('example.org'), facts).path;

describe('agent path template', () => {
  it.each([
    ['{{ .PluginName }}/{{ .Fingerprint }}', 'x509pop/abc'],
    ['/{{.PluginName}}/{{- .SerialNumberHex -}}', 'x509pop/0a'],
    ['{{ .PluginName }}/{{ .Subject.CommonName }}/{{ .TrustDomain }}', 'x509pop/node-1/example.org'],
    ['{{ .PluginName }}/{{ .SVIDPathTrimmed }}', 'x509pop/a/b'],
    ['x/{{ .URISanSelectors.rack }}', 'x/r1'],
    ['x/{{ index .URISanSelectors "rack" }}', 'x/r1'],
    ['static', 'static'],
  ])('%s', (template, expected) => {
    expect(render(template)).toBe(`/spire/agent/${expected}`);
  });

  it.each([
    '{{ .Nope }}',
    '{{ PluginName }}',
    '{{ . }}',
    '{{ .constructor }}',
    '{{ .PluginName | lower }}',
    '{{ .PluginName',
    'a }} b',
    '{{}}',
  ])('refuses the template %j when it is made', (template) => {
    expect(() => new AgentPathTemplate(template)).toThrow(RangeError);
  });

  it.each(['', '../../admin', 'a/b', '.', 'a b', 'ä', 'x'.repeat(3000)])('refuses the common name %j', (commonName) => {
    expect(() => render('x509pop/{{ .Subject.CommonName }}', { ...FACTS, commonName })).toThrow('x509pop');
  });

  it('refuses a certificate that lacks what the template names', () => {
    expect(() => render('x/{{ .URISanSelectors.zone }}')).toThrow('lacks a value');
    expect(() => render('x/{{ .URISanSelectors.deep }}')).toThrow('lacks a value');
    expect(() => render('x/{{ .SVIDPathTrimmed }}', { ...FACTS, svidPathTrimmed: '../x' })).toThrow(
      'no valid agent path',
    );
  });
});
