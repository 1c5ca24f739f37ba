import { TrustDomain } from '@steeple/spiffe';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AgentPathTemplate, type TemplateFacts, type TemplateFields } from './agent-path-template.ts';

const FIELDS: TemplateFields = {
  PluginName: 'text',
  Subject: { CommonName: 'text' },
  Serial: 'text',
  Names: 'text',
  Path: 'path',
  Tags: 'map',
};
const FACTS: TemplateFacts = {
  PluginName: 'test',
  Subject: { CommonName: 'Node-1.example.org' },
  Serial: 18446744073709551615n,
  Names: ['a', 'b', 'c/d'],
  Path: 'a/b',
  Tags: { rack: 'r1', deep: 'x/y', constructor: undefined },
};
const render = (template: string, facts = FACTS) =>
  new AgentPathTemplate(template, FIELDS).agentId(TrustDomain.parse('example.org'), facts, 'the test').path;

describe('agent path template', () => {
  it.each([
    ['{{ .PluginName }}/{{ .Serial }}', 'test/18446744073709551615'],
    ['/{{.PluginName}}/x', 'test/x'],
    ['{{- .PluginName -}}', 'test'],
    ['{{ .PluginName }}/{{ .Path }}', 'test/a/b'],
    ['x/{{ .Tags.rack }}', 'x/r1'],
    ['x/{{ index .Tags "rack" }}', 'x/r1'],
    ['{{ index .Names 0 }}/{{ index .Names 1 }}', 'a/b'],
    ['{{ first .Names }}', 'a'],
    ['{{ .Subject.CommonName | lower | trimSuffix ".example.org" }}', 'node-1'],
    ['{{ trimPrefix "Node-" (lower .Subject.CommonName | upper) }}', 'NODE-1.EXAMPLE.ORG'],
    ['{{ replace "." "-" .Subject.CommonName }}', 'Node-1-example-org'],
    ['{{ trunc 6 .Subject.CommonName }}/{{ substr 0 4 .Subject.CommonName }}', 'Node-1/Node'],
    ['{{ .Tags.none | default "nothing" }}', 'nothing'],
    ['{{ if eq .Tags.rack "r1" }}one{{ else }}other{{ end }}', 'one'],
    ['x/{{ with .PluginName }}{{ . | upper }}{{ end }}', 'x/TEST'],
    ['{{ printf "%s-%s" .PluginName .Tags.rack }}', 'test-r1'],
    ['{{ `a/b` }}', 'a/b'],
    ['{{ join "-" (splitList "." .Subject.CommonName) }}', 'Node-1-example-org'],
    ['static', 'static'],
  ])('%s', (template, expected) => {
    expect(render(template)).toBe(`/spire/agent/${expected}`);
  });

  it.each([
    ['{{ .Nope }}', 'unknown field ".Nope"'],
    ['{{ .Subject }}', 'unknown field ".Subject"'],
    ['{{ .Subject.CommonName.x }}', 'unknown field'],
    ['{{ .constructor }}', 'unknown field'],
    ['{{ PluginName }}', 'function "PluginName" is not supported'],
    ['{{ constructor "a" }}', 'function "constructor" is not supported'],
    ['{{ .PluginName .PluginName }}', 'only a function takes arguments'],
    ['{{ if .PluginName }}', '"if" has no "end"'],
    ['{{ range .Names }}x{{ end }}', '"range" is not supported'],
    ['{{ if .Nope }}x{{ end }}', 'unknown field ".Nope"'],
    ['{{ sha256sum .PluginName }}', 'function "sha256sum" is not supported'],
    ['{{ . }}', 'unknown field "."'],
    ['{{ "a }}', 'unexpected'],
    ['{{ "\\q" }}', 'escape'],
    ['{{ (.PluginName }}', '")" is missing'],
    ['{{ .PluginName) }}', 'unexpected ")"'],
    ['{{ .PluginName | }}', 'a value is missing'],
    ['{{}}', 'a value is missing'],
    ['{{ .PluginName', 'an action is not closed'],
  ])('refuses %j when it is made', (template, message) => {
    expect(() => new AgentPathTemplate(template, FIELDS)).toThrow(RangeError);
    expect(() => new AgentPathTemplate(template, FIELDS)).toThrow(message);
  });

  it.each([
    '{{ .Tags.zone }}',
    '{{ .Tags.deep }}',
    '{{ index .Tags "constructor" }}',
    '{{ index .Tags "toString" }}',
    '{{ index .Names 2 }}',
    '{{ index .Names 9 }}',
    '{{ index .Names "0" }}',
    '{{ .Names }}',
    '{{ .Tags }}',
    '{{ lower .Names }}',
    '{{ first .PluginName }}',
    '{{ trunc "1" .PluginName }}',
    '{{ lower }}',
    'a }} b',
    '{{ with .Tags }}{{ .deep }}{{ end }}',
    '{{ with .Path }}{{ . }}{{ end }}',
    '{{ replace "-" "/" .Subject.CommonName }}',
    '{{ trimPrefix .PluginName .PluginName }}',
    'x/{{ .Path | upper }}/{{ trunc 0 .Path }}',
  ])('has no path for %j', (template) => {
    expect(() => render(template)).toThrow(expect.objectContaining({ code: 'permission-denied' }));
  });

  it.each(['', '../../admin', 'a/b', '.', '..', 'a b', 'ä', '%2e', 'a\n', 'x'.repeat(3000)])(
    'refuses the value %j',
    (value) => {
      expect(() => render('x/{{ .Subject.CommonName }}', { Subject: { CommonName: value } })).toThrow('the test');
    },
  );

  it('never leaves its folder, whatever a value is', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom('.', '/', 'a', '%', '2', 'e', '\\', '\0') }), (value) => {
        try {
          expect(render('rack/{{ .Subject.CommonName }}', { Subject: { CommonName: value } })).toMatch(
            /^\/spire\/agent\/rack\/[^/]+$/,
          );
        } catch (error) {
          expect(error).toMatchObject({ code: 'permission-denied' });
        }
      }),
    );
  });

  it('reads any text or refuses it as a template', () => {
    const unit = fc.constantFrom('{', '}', ' ', '.', 'A', '"', '|', '(', ')', '-', '1', '`', '\\', 'index');
    fc.assert(
      fc.property(fc.string({ unit }), (template) => {
        try {
          expect(new AgentPathTemplate(template, FIELDS)).toBeDefined();
        } catch (error) {
          expect(error).toBeInstanceOf(RangeError);
        }
      }),
    );
  });
});
